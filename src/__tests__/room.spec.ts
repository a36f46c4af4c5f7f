import { shareRoom } from '../panels/room';

describe('the room of the panel', () => {
  it('is shared when everybody wants more than there is', () => {
    expect(
      shareRoom(600, [
        { height: 900, share: 2 },
        { height: 700, share: 1 }
      ])
    ).toEqual([400, 200]);
  });

  it('gives a small section all that it needs, and a closed one nothing', () => {
    expect(
      shareRoom(600, [
        { height: 900, share: 1 },
        { height: 100, share: 1 },
        { height: 0, share: 1 },
        { height: 900, share: 1 }
      ])
    ).toEqual([250, 100, 0, 250]);
  });

  it('spreads what nobody needs', () => {
    expect(
      shareRoom(600, [
        { height: 100, share: 1 },
        { height: 200, share: 2 }
      ])
    ).toEqual([200, 400]);
  });

  it('is nothing for nobody', () => {
    expect(shareRoom(600, [])).toEqual([]);
    expect(shareRoom(600, [{ height: 0, share: 1 }])).toEqual([0]);
  });
});

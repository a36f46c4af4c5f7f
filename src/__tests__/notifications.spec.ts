import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { showNotification } from '../plugins/reporting';

const trans = nullTranslator.load('jupyter_datalake');

function told(details: Record<string, unknown>, kind = 'notification.created'): api.Event {
  return { number: 1, at: '2026-01-31T12:00:00Z', kind, subject: 'f'.repeat(32), details };
}

describe('what people are told', () => {
  afterEach(() => Notification.dismiss());

  it('stays until it is read when a job failed, and leads to the job', async () => {
    const commands = new CommandRegistry();
    const opened: unknown[] = [];
    commands.addCommand(CommandIDs.openJob, { execute: args => void opened.push(args.job) });
    const details = { title: 'p failed', text: 'a bad input', severity: 'error', job: 'a1' };
    showNotification(told(details), { commands, trans });
    const [shown] = Notification.manager.notifications;
    expect(shown?.message).toBe('p failed\n\na bad input');
    expect(shown?.type).toBe('error');
    expect(shown?.options.autoClose).toBe(false);
    const [action] = shown?.options.actions ?? [];
    expect(action?.label).toBe('Show the job');
    action?.callback(new MouseEvent('click'));
    expect(opened).toEqual(['a1']);
  });

  it('goes by itself when all is well, also where there is no job', () => {
    const commands = new CommandRegistry();
    const details = { title: 'p succeeded', text: '', severity: 'success', job: null };
    showNotification(told(details), { commands, trans });
    const [shown] = Notification.manager.notifications;
    expect([shown?.message, shown?.type]).toEqual(['p succeeded', 'success']);
    expect(shown?.options.autoClose).toBe(10_000);
    expect(shown?.options.actions).toEqual([]);
  });

  it('of a pipeline is what its newest job came to, however many have failed', () => {
    const commands = new CommandRegistry();
    const tell = (pipeline: string, job: string, title: string) =>
      showNotification(told({ title, text: '', severity: 'error', pipeline, job }), {
        commands,
        trans
      });
    const shown = () => Notification.manager.notifications.map(({ message }) => message).sort();
    tell('nightly', 'a1', 'failed on Monday');
    tell('other', 'b1', 'failed, too');
    tell('nightly', 'a1', 'late on Monday');
    expect(shown()).toEqual(['failed on Monday', 'failed, too', 'late on Monday']);
    tell('nightly', 'a2', 'failed on Tuesday');
    expect(shown()).toEqual(['failed on Tuesday', 'failed, too']);
  });

  it('says nothing twice', () => {
    const text = 'sh ended with code 3\n\njob a1';
    const details = { title: 'p failed: sh ended with code 3', text, severity: 'error', job: 'a1' };
    showNotification(told(details), { commands: new CommandRegistry(), trans });
    const [shown] = Notification.manager.notifications;
    expect(shown?.message).toBe('p failed: sh ended with code 3\n\njob a1');
  });

  it('is nothing of other events', () => {
    const commands = new CommandRegistry();
    showNotification(told({ state: 'failed' }, 'job.changed'), { commands, trans });
    expect(Notification.manager.count).toBe(0);
  });
});

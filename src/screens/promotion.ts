/**
 * The forms that make pipelines of notebooks, loaded when one is first promoted.
 */
export { dagNotes, outOfReachText } from '../components/dag-sheet';
export { OutOfReachError } from '../dag/placing';
export { showPromote } from '../dialogs/promote';
export { showPromotions } from '../dialogs/promotions';
export { PromotionModel } from '../models/promotion';
export { PromotionsModel } from '../models/promotions';
export { TrialModel } from '../models/trial';

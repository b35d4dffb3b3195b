// Written by scripts/words.mjs from the .resx files of the server; changes belong there.
import type { Language } from './words';

export type MoveKey =
  | 'ArriveAlone'
  | 'ArriveOver'
  | 'ArriveText'
  | 'ArriveTitle'
  | 'ArrivedFetch'
  | 'ArrivedNoOthers'
  | 'ArrivedOthers'
  | 'ArrivedSkip'
  | 'ArrivedText'
  | 'ArrivedTitle'
  | 'ConfirmMove'
  | 'MoveAgain'
  | 'MoveClash'
  | 'MoveCodeAlt'
  | 'MoveCodeText'
  | 'MoveCodeTitle'
  | 'MoveConfirm'
  | 'MoveConnectedText'
  | 'MoveConnectedTitle'
  | 'MoveFile'
  | 'MoveIntro'
  | 'MoveLeft'
  | 'MoveMissing'
  | 'MoveNewPhone'
  | 'MoveNumberLabel'
  | 'MoveNumberText'
  | 'MoveNumberTitle'
  | 'MoveOneByOne'
  | 'MoveOnlyOthers'
  | 'MoveOthersToo'
  | 'MoveOverText'
  | 'MoveOverTitle'
  | 'MoveOverTwice'
  | 'MoveOverWrong'
  | 'MoveRefusedClosed'
  | 'MoveRefusedPolicy'
  | 'MoveRefusedReported'
  | 'MoveSecret'
  | 'MoveShow'
  | 'MoveSignedOut'
  | 'MoveStep1'
  | 'MoveStep2'
  | 'MoveStep3'
  | 'MoveTyped'
  | 'MoveTypedOthers'
  | 'MovedDelete'
  | 'MovedKeep'
  | 'MovedOthers'
  | 'MovedText'
  | 'MovedTitle';
export type MoveWords = Record<MoveKey, string>;

const chunks: Record<Language, () => Promise<{ words: MoveWords }>> = {
  nb: () => import('./move.nb'),
  nn: () => import('./move.nn'),
  en: () => import('./move.en'),
};
export const loadMoveWords = async (language: Language): Promise<MoveWords> => (await chunks[language]()).words;

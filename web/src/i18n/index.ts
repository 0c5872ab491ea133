// SPDX-License-Identifier: Apache-2.0
/* What: the language in force; only its own table is fetched. Components read `t()` while drawing; changing it redraws the root. */
import type { Strings } from './en.ts';
import { useComma } from './format.ts';

export type Lang = 'en' | 'fr';
let current: Strings;
export const t = (): Strings => current;
export async function setLang(l: Lang): Promise<void> {
  current = l === 'fr' ? (await import('./fr.ts')).fr : (await import('./en.ts')).en;
  useComma(l === 'fr');
}
export type { Strings };
/** Texts of the user's files stay as they are; a screen reader should still know a French one. */
export const langOf = (text: string): string | undefined => (/[éèêàçùôîÉÈÀ]|\b(le|la|les|des|est|sont|pour|dans|vérifier|depuis)\b/i.test(text) ? 'fr' : undefined);

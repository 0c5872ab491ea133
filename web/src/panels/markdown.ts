// SPDX-License-Identifier: Apache-2.0
/* What:   Markdown as text panels use it -> a small tree. No HTML passes through as HTML: the tree is drawn node by node.
 * Shape:  blocks (headings, lists, quotes, code, tables, paragraphs), then spans inside them. */
export type Node = string | { tag: string; href?: string; children: Node[] };

const INLINE = /(`+)([^`]+)\1|!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)|(\*\*|__)(.+?)\5|(\*|_)(?!\s)(.+?)\7|(https?:\/\/[^\s<>)]+)|<(https?:\/\/[^>]+)>|<br\s*\/?>/g;

export function inline(text: string): Node[] {
  const out: Node[] = [];
  let at = 0;
  for (const m of text.matchAll(INLINE)) {
    if (m.index > at) out.push(text.slice(at, m.index));
    at = m.index + m[0].length;
    const [all, , code, label, href, , bold, , em, bare, angle] = m;
    if (code !== undefined) out.push({ tag: 'code', children: [code] });
    else if (href !== undefined) out.push(safeHref(href) ? { tag: 'a', href, children: all.startsWith('!') ? [label || href] : inline(label ?? href) } : label ?? '');
    else if (bold !== undefined) out.push({ tag: 'b', children: inline(bold) });
    else if (em !== undefined) out.push({ tag: 'em', children: inline(em) });
    else if (bare ?? angle) out.push({ tag: 'a', href: (bare ?? angle)!, children: [(bare ?? angle)!] });
    else out.push({ tag: 'br', children: [] });
  }
  if (at < text.length) out.push(text.slice(at));
  return out;
}
export const safeHref = (h: string): boolean => /^(https?:|mailto:|\/|#|\?|\.)/i.test(h.trim());

export function markdown(text: string): Node[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n'), out: Node[] = [];
  let i = 0;
  while (i < lines.length) {
    const l = lines[i]!;
    if (!l.trim()) { i++; continue; }
    const head = /^(#{1,6})\s+(.*?)\s*#*$/.exec(l);
    if (head) { out.push({ tag: `h${Math.min(6, head[1]!.length + 2)}`, children: inline(head[2]!) }); i++; continue; }
    if (/^\s*(```|~~~)/.test(l)) { const end = fence(lines, i); out.push({ tag: 'pre', children: [lines.slice(i + 1, end).join('\n')] }); i = end + 1; continue; }
    if (/^\s*([-*_]\s*){3,}$/.test(l)) { out.push({ tag: 'hr', children: [] }); i++; continue; }
    const [block, next] = /^\s*([-*+]|\d+[.)])\s+/.test(l) ? listAt(lines, i) : /^\s*>/.test(l) ? quoteAt(lines, i) : /\|/.test(l) && /^\s*\|?[\s:|-]+$/.test(lines[i + 1] ?? '') ? tableAt(lines, i) : paragraphAt(lines, i);
    out.push(block);
    i = next;
  }
  return out;
}
function fence(lines: string[], i: number): number { let end = i + 1; while (end < lines.length && !/^\s*(```|~~~)\s*$/.test(lines[end]!)) end++; return end; }
function listAt(lines: string[], i: number): [Node, number] {
  const ordered = /^\s*\d/.test(lines[i]!), items: Node[] = [];
  for (; i < lines.length && lines[i]!.trim(); i++) {
    const m = /^\s*(?:[-*+]|\d+[.)])\s+(.*)$/.exec(lines[i]!);
    if (m) items.push({ tag: 'li', children: inline(m[1]!) });
    else { const last = items[items.length - 1] as { children: Node[] } | undefined; last?.children.push(' ', ...inline(lines[i]!.trim())); }
  }
  return [{ tag: ordered ? 'ol' : 'ul', children: items }, i];
}
function quoteAt(lines: string[], i: number): [Node, number] {
  const inner: string[] = [];
  for (; i < lines.length && /^\s*>/.test(lines[i]!); i++) inner.push(lines[i]!.replace(/^\s*>\s?/, ''));
  return [{ tag: 'blockquote', children: markdown(inner.join('\n')) }, i];
}
function tableAt(lines: string[], i: number): [Node, number] {
  const cells = (l: string): string[] => l.trim().replace(/^\||\|$/g, '').split('|').map((c) => c.trim()), row = (l: string, tag: string): Node => ({ tag: 'tr', children: cells(l).map((c) => ({ tag, children: inline(c) })) });
  const rows: Node[] = [row(lines[i]!, 'th')];
  for (i += 2; i < lines.length && /\|/.test(lines[i]!); i++) rows.push(row(lines[i]!, 'td'));
  return [{ tag: 'table', children: [{ tag: 'tbody', children: rows }] }, i];
}
function paragraphAt(lines: string[], i: number): [Node, number] {
  const text: string[] = [];
  for (; i < lines.length && lines[i]!.trim() && !/^(#{1,6}\s|\s*(```|~~~)|\s*>)/.test(lines[i]!); i++) text.push(lines[i]!.trim());
  if (!text.length) return [{ tag: 'p', children: inline(lines[i] ?? '') }, i + 1];
  return [{ tag: 'p', children: inline(text.join('\n')) }, i];
}

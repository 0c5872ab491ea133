// SPDX-License-Identifier: Apache-2.0
/* What: text panels. HTML is parsed into an inert document and only harmless elements are drawn again. */
import { createElement, type VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { markdown, safeHref, type Node } from './markdown.ts';

const draw = (n: Node, i: number): Node2 => (typeof n === 'string' ? n : createElement(n.tag, { key: i, ...(n.href ? linkProps(n.href) : {}) }, n.children.length ? n.children.map(draw) : undefined));
const linkProps = (href: string): Record<string, string> => (/^https?:/i.test(href) ? { href, target: '_blank', rel: 'noopener noreferrer' } : { href });

const TAGS = new Set('a b i u s em strong small code pre p div span br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table thead tbody tfoot tr th td blockquote center font sup sub'.split(' '));
const STYLES = new Set(['color', 'background-color', 'text-align', 'font-size', 'font-weight', 'font-style', 'padding', 'margin', 'width', 'height', 'border', 'line-height', 'display', 'vertical-align']);

function html(text: string): Node2[] { return [...new DOMParser().parseFromString(text, 'text/html').body.childNodes].map(clean).filter((n): n is Node2 => n !== null); }
type Node2 = string | VNode<any>; // eslint-disable-line -- attributes differ from element to element
function clean(n: ChildNode, i: number): Node2 | null {
  if (n.nodeType === 3) return n.textContent ?? '';
  if (n.nodeType !== 1) return null;
  const e = n as HTMLElement, tag = e.tagName.toLowerCase();
  if (/^(script|style|iframe|object|embed|link|meta|form|template|noscript|svg|math)$/.test(tag)) return null;
  const children = [...e.childNodes].map(clean).filter((x): x is Node2 => x !== null), href = e.getAttribute('href');
  const style = Object.fromEntries([...(e.style ?? [])].filter((k) => STYLES.has(k) && !/url\(|expression/i.test(e.style.getPropertyValue(k))).map((k) => [k, e.style.getPropertyValue(k)]));
  return createElement(TAGS.has(tag) ? tag : 'span', { key: i, style, ...(tag === 'a' && href && safeHref(href) ? linkProps(href) : {}) }, children.length ? children : undefined);
}

export function Text({ mode, content }: { mode: string; content: string }) {
  const body = useMemo(() => (mode === 'html' ? html(content) : mode === 'code' ? [<pre>{content}</pre>] : /<[a-z][\s\S]*>/i.test(content) && !/^\s*[#*>-]|\n#/.test(content) ? html(content) : markdown(content).map(draw)), [mode, content]);
  return <div class="md scroll">{body}</div>;
}

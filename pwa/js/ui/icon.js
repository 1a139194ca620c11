// Line icons drawn for this app on a 24-unit grid. Decorative: the words beside them carry the meaning.
import { html, svg } from "lit-html";

const SHAPES = {
  camera: svg`<path d="M4 8h3l2-3h6l2 3h3v11H4z"/><circle cx="12" cy="13" r="3.5"/>`,
  gallery: svg`<rect x="4" y="4" width="16" height="16" rx="3"/><path d="m5 17 5-5 4 4 2-2 3 3"/><circle cx="15.5" cy="8.5" r="1.2"/>`,
  back: svg`<path d="m14 5-7 7 7 7"/>`,
  next: svg`<path d="m9 5 7 7-7 7"/>`,
  search: svg`<circle cx="11" cy="11" r="6"/><path d="m20 20-4.6-4.6"/>`,
  add: svg`<circle cx="9" cy="8" r="3.5"/><path d="M3 20c0-4 3-6 6-6s6 2 6 6M18 7v6M15 10h6"/>`,
  people: svg`<circle cx="9" cy="8" r="3.5"/><path d="M3 20c0-4 3-6 6-6s6 2 6 6M15.5 5a3.5 3.5 0 0 1 0 6.6M17.5 14.5c2 .8 3.5 2.6 3.5 5.5"/>`,
  settings: svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  waiting: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3 2"/>`,
  sending: svg`<path d="M12 19V6M6.5 11 12 5.5l5.5 5.5"/>`,
  received: svg`<path d="M4 12.5 9 17.5 20 6.5"/>`,
  accepted: svg`<circle cx="12" cy="12" r="8.5"/><path d="m8 12.3 2.8 2.8L16 9.5"/>`,
  retake: svg`<path d="M5 5v5h5M5.5 10a7.5 7.5 0 1 1-1 5"/>`,
  incomplete: svg`<path d="M12 4 2.8 20h18.4zM12 10v4.5M12 17.3v.2"/>`,
  nosignal: svg`<path d="M3 3l18 18M8.5 16.5a5 5 0 0 1 7 0M5 13a10 10 0 0 1 5-2.7M14 10.3a10 10 0 0 1 5 2.7M12 20v.1"/>`,
  phone: svg`<rect x="7" y="3" width="10" height="18" rx="2.5"/><path d="M11 18h2"/>`,
  move: svg`<path d="M4 8h13l-3.5-3.5M20 16H7l3.5 3.5"/>`,
  remove: svg`<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"/>`,
  edit: svg`<path d="M4 20h4L19 9l-4-4L4 16z"/>`,
  torch: svg`<path d="M13 3 6 13h5l-1 8 7-10h-5z"/>`,
  flip: svg`<path d="M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5"/>`,
  close: svg`<path d="M6 6l12 12M18 6 6 18"/>`,
  send: svg`<path d="M4 12 20 4l-6 16-3-7z"/>`,
  pause: svg`<path d="M9 6v12M15 6v12"/>`,
  play: svg`<path d="M8 5.5v13l10-6.5z"/>`,
  note: svg`<path d="M6 3.5h9l4 4V20.5H6zM9 11h6M9 15h6"/>`,
  talk: svg`<path d="M4 5h16v11h-9l-4 4v-4H4z"/>`,
  two: svg`<rect x="3.5" y="5" width="7" height="14" rx="2"/><rect x="13.5" y="5" width="7" height="14" rx="2"/>`,
  info: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5.5M12 7.7v.1"/>`,
  star: svg`<path d="m12 3.8 2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z"/>`,
  save: svg`<path d="M12 4v11M7 10.5l5 5 5-5M5 20h14"/>`,
  install: svg`<rect x="4" y="4" width="16" height="16" rx="4"/><path d="M12 8v8M8 12h8"/>`,
};

/** One icon by name, hidden from screen readers.
 * @param {keyof typeof SHAPES | string} name @param {string} [extra] class names */
export function icon(name, extra = "") {
  const shape = SHAPES[/** @type {keyof typeof SHAPES} */ (name)] ?? SHAPES.info;
  return html`<svg class="icon ${extra}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shape}</svg>`;
}

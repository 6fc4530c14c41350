/** A wall of shapes: a grid of cards of which only those in sight exist, however many shapes there are. */

import { makeQueue, orbit, startView } from "./stage.js";

const CARD = 176; // the least width of a card, in CSS pixels
const GAP = 12;
const CAPTION = 50; // height of the two lines under a picture
const BEHIND = 2; // rows that are kept ready above and below what is in sight

export class Wall {
  /**
   * `element` fills with cards; `settings` has `style`, `color()` and `linked`; `open(item)` shows a chosen one.
   * Items have a `name`, a `note`, and a `load()` that promises a Shown.
   */
  constructor(element, stage, settings, open) {
    Object.assign(this, { element, stage, settings, open, count: 0, item: () => null, cards: new Map() });
    this.shared = startView();
    this.draw = makeQueue((card) => this.drawCard(card));
    addEventListener("scroll", () => this.update(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(element);
  }

  /** Shows `count` items, the i-th of which `item(i)` gives. */
  show(count, item) {
    Object.assign(this, { count, item });
    for (const card of this.cards.values()) card.element.remove();
    this.cards.clear();
    this.layout();
  }

  layout() {
    const width = this.element.clientWidth;
    this.columns = Math.max(2, Math.floor((width + GAP) / (CARD + GAP)));
    this.size = Math.floor((width - GAP * (this.columns - 1)) / this.columns);
    this.rowHeight = this.size + CAPTION + GAP;
    this.element.style.height = `${Math.ceil(this.count / this.columns) * this.rowHeight}px`;
    for (const [index, card] of this.cards) this.place(index, card);
    this.update();
  }

  /** Makes the cards in sight, and forgets those far from it. */
  update() {
    if (!this.rowHeight) return;
    const top = -this.element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - BEHIND) * this.columns;
    const rows = Math.ceil(innerHeight / this.rowHeight) + 2 * BEHIND + 1;
    const end = Math.min(first + rows * this.columns, this.count);
    for (const [index, card] of this.cards) {
      const kept = index >= first && index < end;
      if (kept || card.element.contains(document.activeElement)) continue;
      card.element.remove();
      card.shown?.forget();
      this.cards.delete(index);
    }
    for (let index = first; index < end; index++) {
      if (!this.cards.has(index)) this.make(index);
    }
  }

  make(index) {
    const item = this.item(index);
    const element = document.createElement("div");
    element.className = "card";
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", `${item.name}, ${item.note}`);
    const canvas = element.appendChild(document.createElement("canvas"));
    const short = item.name.split("/").pop(); // the folder is told by the title and the large view
    for (const [kind, text, title] of [
      ["name", short, item.name],
      ["note", item.note, item.note],
    ]) {
      const line = element.appendChild(document.createElement("div"));
      line.className = kind;
      line.textContent = text;
      line.title = title;
    }
    const card = { element, canvas, item, view: this.settings.linked ? this.shared : startView(), shown: null };
    this.cards.set(index, card);
    this.place(index, card);
    this.follow(card);
    // In the order of the shapes, whichever was made first, so that keys reach them in that order.
    const after = [...this.cards].filter(([other]) => other > index).sort((a, b) => a[0] - b[0])[0];
    this.element.insertBefore(element, after ? after[1].element : null);
    item.load().then(
      (shown) => {
        card.shown = shown;
        this.draw(card);
      },
      (error) => {
        element.classList.add("failed");
        canvas.replaceWith(Object.assign(document.createElement("p"), { textContent: error.message }));
      },
    );
  }

  place(index, { element, canvas }) {
    const [row, column] = [Math.floor(index / this.columns), index % this.columns];
    element.style.width = `${this.size}px`;
    element.style.height = `${this.size + CAPTION}px`;
    element.style.transform = `translate(${column * (this.size + GAP)}px, ${row * this.rowHeight}px)`;
    const pixels = Math.round(this.size * Math.min(devicePixelRatio, 2));
    if (canvas.width === pixels && canvas.height === pixels) return;
    canvas.width = canvas.height = pixels;
    const card = this.cards.get(index);
    if (card?.shown) this.draw(card);
  }

  /** Pointer and keys turn a card; a click or Enter opens it. */
  follow(card) {
    const { element, view } = card;
    orbit(element, view, () => (view === this.shared ? this.redraw() : this.draw(card)));
    let pressed = null;
    element.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]));
    element.addEventListener("click", (event) => {
      const moved = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]);
      if (card.shown && !(moved > 4)) this.open(card.item, card.shown, element);
    });
    element.addEventListener("keydown", (event) => {
      if ((event.key !== "Enter" && event.key !== " ") || !card.shown) return;
      event.preventDefault();
      this.open(card.item, card.shown, element);
    });
  }

  drawCard({ element, canvas, shown, view }) {
    if (!shown || !element.isConnected) return;
    const { style } = this.settings;
    this.stage.draw(canvas, shown.mesh(style), view, this.settings.color(), shown.frame);
    element.dataset.drawn = "";
  }

  /** Draws all cards again. */
  redraw() {
    for (const card of this.cards.values()) if (card.shown) this.draw(card);
  }

  /** Makes all cards anew, as after `linked` was changed. */
  renew() {
    this.show(this.count, this.item);
  }
}

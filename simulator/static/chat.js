// Shows one chat: messages with their buttons, the input line, what can be attached. It knows no phones and no topics.

import { post } from "./api.js";

const TIME = new Intl.DateTimeFormat("nl-BE", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Brussels" });

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

let toastTimer = 0;
export function toast(text) {
  const shown = document.querySelector(".toast");
  shown.textContent = text;
  shown.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => shown.classList.remove("on"), 3500);
}

export const safely = (work) => work().catch((error) => toast(error.message));

const plain = (text) => text.replace(/[\u2066-\u2069\u200e\u200f]/g, "");
// The first letter that has a direction decides, as in the phones' own chats.
const RIGHT = /^[^A-Za-z\u00c0-\u024f\u0370-\u052f\u0590-\u08ff\u1200-\u137f]*[\u0590-\u08ff]/;
export const direction = (text) => (RIGHT.test(text.replace(/[\u2066-\u2069]/g, "")) || text.startsWith("\u200f") ? "rtl" : "ltr");

// A person's photo has one pixel in the simulator: a drawn picture stands for it.
const sketch = ({ target }) => target.classList.toggle("sketch", target.naturalWidth < 8);

const seconds = (all) => `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;

// A deep link to the bot is followed as a phone does: it writes /start. Other addresses are only shown.
function follow(address, onStart) {
  const start = /t\.me\/[^?]+\?start=([\w-]+)/.exec(address);
  if (start) onStart(start[1]);
  else toast(`A link to ${address}`);
}

function paragraphs(text, onStart) {
  return text.split("\n").map((line) => {
    const shown = element("p", { dir: line ? direction(line) : undefined });
    let last = 0;
    for (const hit of line.matchAll(/https?:\/\/[^\s\u2066-\u2069]+/g)) {
      shown.append(line.slice(last, hit.index));
      const link = element("a", { href: hit[0], rel: "noreferrer" }, hit[0]);
      link.addEventListener("click", (click) => {
        click.preventDefault();
        follow(hit[0], onStart);
      });
      shown.append(link);
      last = hit.index + hit[0].length;
    }
    shown.append(line.slice(last));
    return shown;
  });
}

/** A chat of `me()` (a user id) in chat `chat`, topic `thread` (0: none). `world` is the live state. */
export class ChatView {
  constructor(world, { chat, thread = 0, me, hints = [], group = false }) {
    Object.assign(this, { world, chat, thread, me, group });
    this.edits = 0;
    this.replies = 0;
    this.nodes = new Map();
    this.typing = element("div", { class: "typing" }, element("i"), element("i"), element("i"));
    this.start = (code) => this.act("write", { text: `/start ${code}` });
    this.list = element("div", { class: "messages", role: "log", "aria-live": "polite" });
    this.input = element("textarea", { rows: 1, placeholder: "Message", "aria-label": "Write a message", dir: "auto", "data-testid": "composer" });
    this.about = element("span", { dir: "auto" });
    this.editing = element("div", { class: "editing" }, this.about,
      element("button", { type: "button", onclick: () => this.stopEditing(), "aria-label": "Stop" }, "✕"));
    this.attachments = element("div", { class: "attachments" }, ...this.attachButtons());
    this.keyboard = element("div", { class: "keyboard", hidden: true });
    this.hints = element("div", { class: "hints" }, ...hints.map((hint) => element("button", {
      type: "button", dir: direction(hint), onclick: () => { this.input.value = hint; this.input.focus(); },
    }, hint)));
    this.input.addEventListener("keydown", (press) => {
      if (press.key === "Enter" && !press.shiftKey) { press.preventDefault(); this.send(); }
    });
    const composer = element("form", { class: "composer", onsubmit: (submit) => { submit.preventDefault(); this.send(); } },
      element("button", { type: "button", class: "attach", "aria-label": "Attach", title: "Voice, photo, place …",
        onclick: () => this.attachments.classList.toggle("on") }, "📎"),
      this.input,
      element("button", { class: "send", "aria-label": "Send", "data-testid": "send" }, "➤"));
    this.parts = [this.list, this.editing, this.hints, this.keyboard, this.attachments, composer];
    this.render();
  }

  attachButtons() {
    const deed = (label, name, body = {}) => element("button", { type: "button", "data-testid": `attach-${name}`, onclick: () => {
      this.attachments.classList.remove("on");
      this.act(name, body);
    } }, label);
    const shared = [deed("🖼 Photo", "photo"), deed("📄 Document", "document", { file_name: "brief.pdf" })];
    if (this.group) return shared;
    return [deed("🎤 Voice note", "voice", { seconds: 5 }), ...shared, deed("📍 My place", "location", { latitude: 51.1, longitude: 3.99 }),
      deed("🙂 Sticker", "sticker")];
  }

  act(deed, body = {}) {
    return safely(() => post(`users/${this.me()}/${deed}`, { chat: this.chat, thread: this.thread, ...body }));
  }

  send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.newest = true;
    if (this.edits) this.act("edit", { message_id: this.edits, text });
    else this.act("write", this.replies ? { text, reply_to: this.replies } : { text });
    this.stopEditing();
  }

  edit(message) {
    this.replies = 0;
    this.edits = message.message_id;
    this.about.textContent = "You change your message";
    this.input.value = message.text || message.caption || "";
    this.editing.classList.add("on");
    this.input.focus();
  }

  reply(message) {
    this.edits = 0;
    this.replies = message.message_id;
    this.about.textContent = `Answer to: ${plain(message.text || message.caption || "…").slice(0, 60)}`;
    this.editing.classList.add("on");
    this.input.focus();
  }

  stopEditing() {
    this.edits = 0;
    this.replies = 0;
    this.editing.classList.remove("on");
  }

  shown() {
    const all = this.world.chat(this.chat)?.messages ?? [];
    if (!this.group) return all;
    return all.filter((m) => (m.message_thread_id || 0) === this.thread);
  }

  render() {
    const near = this.newest || this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 160;
    this.newest = false;
    this.place(this.shown().map((message) => this.kept(message)));
    this.typing.classList.toggle("on", Date.now() - (this.world.typing.get(`${this.chat}/${this.thread}`) ?? 0) < 5000);
    this.hints.hidden = this.shown().length > 0;
    this.renderKeyboard();
    if (near) requestAnimationFrame(() => { this.list.scrollTop = this.list.scrollHeight; });
  }

  // Only what changed is drawn anew: a focused button keeps its focus, a screen reader hears only what is new.
  kept(message) {
    const drawn = JSON.stringify([message, this.me(), this.reactions(message)]);
    const old = this.nodes.get(message.message_id);
    if (old?.drawn === drawn) return old.node;
    const node = this.message(message);
    this.nodes.set(message.message_id, { drawn, node });
    return node;
  }

  place(nodes) {
    const wanted = new Set([...nodes, this.typing]);
    [...this.list.childNodes].filter((node) => !wanted.has(node)).forEach((node) => node.remove());
    let next = this.list.firstChild;
    for (const node of wanted) {
      if (node === next) next = next.nextSibling;
      else this.list.insertBefore(node, next);
    }
  }

  reactions(message) {
    return Object.entries(this.world.state.reactions)
      .filter(([key]) => key.startsWith(`${this.chat}/${message.message_id}/`)).flatMap(([, list]) => list.map((one) => one.emoji));
  }

  renderKeyboard() {
    const markup = this.group ? null : this.world.state.keyboards[this.chat];
    this.keyboard.hidden = !markup;
    if (!markup) return this.keyboard.replaceChildren();
    this.keyboard.replaceChildren(...markup.keyboard.flat().map((key) => element("button", { type: "button", dir: direction(key.text), onclick: () => {
      if (markup.one_time_keyboard) {
        this.keyboard.hidden = true;
        delete this.world.state.keyboards[this.chat];
      }
      this.newest = true;
      if (key.request_location) this.act("location", { latitude: 51.1037, longitude: 3.9936 });
      else if (key.request_contact) this.act("contact", { phone_number: "+32 400 00 00 00" });
      else this.act("write", { text: key.text });
    } }, key.text)));
  }

  message(message) {
    const own = message.from?.id === Number(this.me());
    if (isService(message)) return element("div", { class: "message service" }, serviceText(message));
    const name = this.group && !own ? element("div", { class: "from" }, message.sender_chat?.title ?? message.from.first_name) : null;
    const quoted = message.reply_to_message && !message.reply_to_message.forum_topic_created ? message.reply_to_message : null;
    const bubble = element("div", { class: "bubble" }, name,
      quoted ? element("div", { class: "quote", dir: "auto" }, plain(quoted.text || quoted.caption || "…")) : null,
      ...this.media(message), ...paragraphs(message.text || message.caption || "", this.start),
      element("footer", {}, this.tools(message, own), message.edit_date ? element("span", {}, "edited") : null, element("span", {}, TIME.format(new Date(message.date * 1000)))));
    const reactions = this.reactions(message);
    if (reactions.length) bubble.append(element("div", { class: "reactions" }, reactions.join(" ")));
    const shown = element("div", { class: `message${own ? " own" : ""}`, "data-testid": "message", "data-id": message.message_id }, bubble, this.keys(message));
    if (own && (message.text || message.caption)) {
      bubble.title = "Double-click to change";
      bubble.addEventListener("dblclick", () => this.edit(message));
    }
    return shown;
  }

  tools(message, own) {
    const tool = (name, sign, deed) => element("button", { type: "button", title: name, "aria-label": name, "data-testid": name.toLowerCase(), onclick: deed }, sign);
    const change = own && (message.text || message.caption) ? tool("Edit", "✎", () => this.edit(message)) : null;
    return element("span", { class: "deeds" }, tool("Reply", "↩", () => this.reply(message)), change);
  }

  media(message) {
    const address = (id) => `/control/file/${encodeURIComponent(id)}`;
    if (message.venue) {
      return [element("div", { class: "map", "aria-hidden": "true" }),
        element("div", { class: "place", dir: direction(message.venue.title) }, element("span", {}, element("b", {}, plain(message.venue.title)), plain(message.venue.address)))];
    }
    if (message.location) return [element("div", { class: "map", role: "img", "aria-label": "A place on the map" })];
    if (message.photo) return [element("img", { class: "photo", alt: "A photo", onload: sketch, src: address(message.photo.at(-1).file_id) })];
    if (message.voice) return [element("div", { class: "file" }, element("i", {}, "▶"), element("span", {}, element("b", {}, "Voice note"), seconds(message.voice.duration)))];
    if (message.document) {
      return [element("a", { class: "file", href: address(message.document.file_id), download: message.document.file_name },
        element("i", {}, "⬇"), element("span", {}, element("b", {}, message.document.file_name), `${message.document.file_size} bytes`))];
    }
    if (message.sticker) return [element("div", { style: "font-size:3rem" }, message.sticker.emoji || "🙂")];
    if (message.contact) return [element("div", { class: "file" }, element("i", {}, "☎"), element("span", {}, element("b", {}, message.contact.first_name), message.contact.phone_number))];
    return [];
  }

  keys(message) {
    const rows = message.reply_markup?.inline_keyboard;
    if (!rows) return null;
    return element("div", { class: "keys" }, ...rows.map((row) => element("div", { class: "row" }, ...row.map((key) => {
      if (key.url) return element("a", { href: key.url, onclick: (click) => { click.preventDefault(); follow(key.url, this.start); } }, plain(key.text));
      const button = element("button", { type: "button", dir: direction(key.text), "data-testid": "button", "data-label": plain(key.text), "data-data": key.callback_data }, key.text);
      button.addEventListener("click", () => {
        button.classList.add("busy");
        setTimeout(() => button.classList.remove("busy"), 900);
        safely(() => post(`users/${this.me()}/tap`, { chat: this.chat, message_id: message.message_id, data: key.callback_data }));
      });
      return button;
    }))));
  }
}

const SERVICE = ["forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "new_chat_members", "left_chat_member", "migrate_from_chat_id"];
const isService = (message) => SERVICE.some((name) => name in message);
function serviceText(message) {
  if (message.forum_topic_created) return `Topic ${message.forum_topic_created.name}`;
  if (message.forum_topic_edited) return `Renamed: ${message.forum_topic_edited.name ?? ""}`;
  if (message.forum_topic_closed) return "Topic closed";
  if (message.forum_topic_reopened) return "Topic open again";
  if (message.new_chat_members) return `${message.new_chat_members[0].first_name} joined`;
  if (message.left_chat_member) return `${message.left_chat_member.first_name} left`;
  return "…";
}

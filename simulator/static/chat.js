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

function paragraphs(text, onStart) {
  return text.split("\n").map((line) => {
    const shown = element("p", { dir: line ? direction(line) : undefined });
    let last = 0;
    for (const hit of line.matchAll(/https?:\/\/[^\s\u2066-\u2069]+/g)) {
      shown.append(line.slice(last, hit.index));
      const start = /t\.me\/[^?]+\?start=([\w-]+)/.exec(hit[0]);
      const link = element("a", { href: hit[0], rel: "noreferrer" }, hit[0]);
      link.addEventListener("click", (click) => {
        click.preventDefault();
        if (start) onStart(start[1]);
        else toast(`A link to ${hit[0]}`);
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
    this.list = element("div", { class: "messages", role: "log", "aria-live": "polite" });
    this.input = element("textarea", { rows: 1, placeholder: "Message", "aria-label": "Write a message", dir: "auto", "data-testid": "composer" });
    this.editing = element("div", { class: "editing" }, "You change your message",
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
    if (this.edits) {
      this.act("edit", { message_id: this.edits, text });
      this.stopEditing();
    } else this.act("write", { text });
  }

  edit(message) {
    this.edits = message.message_id;
    this.input.value = message.text || message.caption || "";
    this.editing.classList.add("on");
    this.input.focus();
  }

  stopEditing() {
    this.edits = 0;
    this.editing.classList.remove("on");
  }

  shown() {
    const all = this.world.chat(this.chat)?.messages ?? [];
    if (!this.group) return all;
    return all.filter((m) => (m.message_thread_id || 0) === this.thread);
  }

  render() {
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 160;
    this.list.replaceChildren(...this.shown().map((message) => this.message(message)));
    const typing = Date.now() - (this.world.typing.get(`${this.chat}/${this.thread}`) ?? 0) < 5000;
    this.list.append(element("div", { class: `typing${typing ? " on" : ""}` }, element("i"), element("i"), element("i")));
    this.hints.hidden = this.shown().length > 0;
    this.renderKeyboard();
    if (near) requestAnimationFrame(() => { this.list.scrollTop = this.list.scrollHeight; });
  }

  renderKeyboard() {
    const markup = this.group ? null : this.world.state.keyboards[this.chat];
    this.keyboard.hidden = !markup;
    if (!markup) return this.keyboard.replaceChildren();
    this.keyboard.replaceChildren(...markup.keyboard.flat().map((key) => element("button", { type: "button", dir: direction(key.text), onclick: () => {
      this.keyboard.hidden = true;
      delete this.world.state.keyboards[this.chat];
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
      ...this.media(message), ...paragraphs(message.text || message.caption || "", (code) => this.act("write", { text: `/start ${code}` })),
      element("footer", {}, message.edit_date ? element("span", {}, "edited") : null, element("span", {}, TIME.format(new Date(message.date * 1000)))));
    const reactions = Object.entries(this.world.state.reactions).filter(([key]) => key.startsWith(`${this.chat}/${message.message_id}/`));
    if (reactions.length) bubble.append(element("div", { class: "reactions" }, reactions.flatMap(([, list]) => list.map((one) => one.emoji)).join(" ")));
    const shown = element("div", { class: `message${own ? " own" : ""}`, "data-testid": "message", "data-id": message.message_id }, bubble, this.keys(message));
    if (own && (message.text || message.caption)) {
      bubble.title = "Double-click to change";
      bubble.addEventListener("dblclick", () => this.edit(message));
    }
    return shown;
  }

  media(message) {
    const address = (id) => `/control/file/${encodeURIComponent(id)}`;
    if (message.venue) {
      return [element("div", { class: "map", "aria-hidden": "true" }),
        element("div", { class: "place", dir: direction(message.venue.title) }, element("span", {}, element("b", {}, plain(message.venue.title)), plain(message.venue.address)))];
    }
    if (message.location) return [element("div", { class: "map", role: "img", "aria-label": "A place on the map" })];
    if (message.photo) return [element("img", { class: "photo", alt: "A photo", src: address(message.photo.at(-1).file_id) })];
    if (message.voice) return [element("div", { class: "file" }, element("i", {}, "▶"), element("span", {}, element("b", {}, "Voice note"), `0:0${message.voice.duration}`))];
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
      if (key.url) return element("a", { href: key.url, onclick: (click) => { click.preventDefault(); toast(key.url); } }, plain(key.text));
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

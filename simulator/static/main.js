// The page: newcomers' phones on the left, the staff group on the right, a clock above.
//
// Hooks for browser tests (data-testid): phone (with data-user-id, data-name), composer, send, message, button (with
// data-label, data-data), reply, edit (in a message), alert (an answer to a tap that must be closed), attach-voice|photo|document|location|sticker, topics, topic (with data-thread), topic-view,
// staff-as, add-staff, add-newcomer, clock, forward-hour, forward-day, forward-morning.

import { World, post } from "./api.js";
import { ChatView, element, safely, toast } from "./chat.js";

const LANGUAGES = { ar: "العربية", uk: "Українська", fr: "Français", en: "English", nl: "Nederlands", fa: "دری / فارسی", ti: "ትግርኛ", tr: "Türkçe", ps: "پښتو" };
const HINTS = {
  ar: ["مرحبا", "أريد أن أسجل أولادي في الصيف", "أين أتعلم الهولندية؟"],
  uk: ["Де можна вчити нідерландську?", "Хочу поговорити з людиною"],
  fr: ["Où apprendre le néerlandais ?", "Je ne comprends pas une lettre"],
  en: ["Where can I learn Dutch?", "I do not understand a letter"],
  nl: ["Waar kan ik Nederlands oefenen?", "Ik wil een buddy"],
  ti: ["ሰላም"], fa: ["سلام، کجا هالندی یاد بگیرم؟"], tr: ["Merhaba"], ps: ["سلام"],
};
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/Brussels" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Brussels" });
const COLORS = ["#f2b544", "#f3a183", "#9cc9e8", "#b6d99a", "#d9b4e3", "#f0d27a"];

const world = new World(changed);
const phones = new Map();
const topics = { open: 0, view: null, views: new Map(), seen: new Map() };

const group = () => world.state.chats[world.state.staff_chat];
const members = () => Object.entries(group().members)
  .filter(([user, member]) => Number(user) !== world.state.bot.id && ["member", "administrator", "creator"].includes(member.status))
  .map(([user]) => world.state.users[user]).filter(Boolean);

function newcomers() {
  const staff = new Set(Object.keys(group().members).map(Number));
  return Object.values(world.state.users).filter((user) => !staff.has(user.id));
}

// --- phones

function addPhone(user) {
  if (phones.has(user.id)) return;
  const view = new ChatView(world, { chat: user.id, me: () => user.id, hints: HINTS[user.language_code] ?? ["Hello"] });
  const blocked = () => world.state.reach[user.id] === "kicked";
  const screen = element("div", { class: "screen" });
  const more = element("button", { type: "button", class: "more", title: "Start, or block the bot", "aria-label": "More" }, "⋮");
  more.addEventListener("click", () => {
    if (blocked()) return safely(() => post(`users/${user.id}/unblock`));
    return world.chat(user.id).messages.length ? safely(() => post(`users/${user.id}/block`)) : view.act("write", { text: "/start" });
  });
  const shown = LANGUAGES[user.language_code] ?? user.language_code ?? "";
  const language = element("small", {}, shown);
  const head = element("div", { class: "phone-head" },
    element("span", { class: "face", style: `background:${COLORS[user.id % COLORS.length]}`, "aria-hidden": "true" }, user.first_name[0]),
    element("div", { class: "who" }, element("strong", {}, user.first_name), language),
    element("button", { type: "button", class: "more", title: "Write /start", "aria-label": "Start", onclick: () => view.act("write", { text: "/start" }) }, "⟳"), more);
  screen.append(head, ...view.parts);
  const phone = element("article", { class: "phone", "data-testid": "phone", "data-user-id": user.id, "data-name": user.first_name, "aria-label": `The phone of ${user.first_name}` }, screen);
  document.querySelector(".phones").append(phone);
  phones.set(user.id, { view, screen, blocked, phone, language, shown });
}

function renderPhone(id) {
  const phone = phones.get(Number(id));
  if (!phone) return;
  phone.view.render();
  const blocked = phone.blocked();
  phone.screen.dataset.blocked = blocked;
  phone.language.textContent = blocked ? "has blocked the bot" : phone.shown;
}

// --- the staff group

function as() { return document.querySelector("[data-testid=staff-as]").value; }

function renderMembers() {
  const select = document.querySelector("[data-testid=staff-as]");
  const chosen = select.value;
  select.replaceChildren(...members().map((user) => element("option", { value: user.id }, user.first_name)));
  if (chosen && members().some((user) => String(user.id) === chosen)) select.value = chosen;
  document.querySelector(".staff-title").textContent = group().title;
}

function lastWords(thread) {
  const found = group().messages.filter((m) => (m.message_thread_id || 0) === thread && (m.text || m.caption));
  return found.at(-1)?.text?.split("\n")[0] ?? "";
}

function renderTopics() {
  const list = document.querySelector("[data-testid=topics]");
  const all = [{ thread: 0, name: "General" }, ...Object.values(group().topics).filter((topic) => !topic.deleted).sort((a, b) => b.thread - a.thread)];
  if (!all.some((topic) => topic.thread === topics.open)) openTopic(0);
  list.replaceChildren(...all.map((topic) => {
    const count = group().messages.filter((m) => (m.message_thread_id || 0) === topic.thread).length;
    if (topic.thread === topics.open) topics.seen.set(topic.thread, count);
    const fresh = count > (topics.seen.get(topic.thread) ?? 0);
    return element("button", {
      type: "button", class: topic.closed ? "closed" : "", "data-testid": "topic", "data-thread": topic.thread, "data-name": topic.name,
      "aria-current": String(topic.thread === topics.open), onclick: () => openTopic(topic.thread),
    }, topic.name, topic.closed ? element("span", { class: "state" }, "closed") : null, fresh ? element("span", { class: "fresh", title: "New" }) : null, element("small", { dir: "auto" }, lastWords(topic.thread)));
  }));
}

function openTopic(thread) {
  topics.open = thread;
  const key = `${world.state.staff_chat}/${thread}`;
  // Kept, so that what somebody was writing is still there when they come back to a topic.
  if (!topics.views.has(key)) topics.views.set(key, new ChatView(world, { chat: world.state.staff_chat, thread, me: as, group: true }));
  topics.view = topics.views.get(key);
  topics.view.render();
  const box = document.querySelector("[data-testid=topic-view]");
  box.dataset.thread = thread;
  box.replaceChildren(...topics.view.parts);
  if (!topics.view.shown().length) {
    topics.view.list.append(element("div", { class: "empty" }, "When a newcomer asks for a person, or is in danger, a topic appears here on the left. Take the case, answer in Dutch, or send a ready sentence."));
  }
  topics.view.list.scrollTop = topics.view.list.scrollHeight;
  requestAnimationFrame(() => { topics.view.list.scrollTop = topics.view.list.scrollHeight; });
  renderTopics();
}

// --- events and the clock

function changed(event) {
  switch (event.type) {
    case "reload": case "migrated": return renderAll();
    case "user": setTimeout(showPhones, 600); return undefined;
    case "member": renderMembers(); showPhones(); break;
    case "answered": return answered(event.answer);
    case "clock": return tickClock();
    case "topic": return renderTopics();
    default:
  }
  if (event.chat === world.state.staff_chat) {
    topics.view?.render();
    renderTopics();
  } else if (event.chat !== undefined) renderPhone(event.chat);
  if (event.type === "reach") { showPhones(); renderPhone(event.user); }
  return undefined;
}

function answered(answer) {
  if (!answer.text) return;
  if (!answer.show_alert) { toast(answer.text); return; }
  const alert = document.querySelector("dialog.alert");
  alert.querySelector("p").textContent = answer.text;
  if (!alert.open) alert.showModal();
}

// Who joined the staff, or is gone after the simulator began anew, has no phone any longer.
function showPhones() {
  const now = newcomers();
  const there = new Set(now.map((user) => user.id));
  for (const [id, { phone }] of phones) {
    if (there.has(id)) continue;
    phone.remove();
    phones.delete(id);
  }
  now.forEach(addPhone);
}

function renderAll() {
  renderMembers();
  showPhones();
  phones.forEach((_, id) => renderPhone(id));
  openTopic(topics.open);
  tickClock();
}

function tickClock() {
  const now = new Date(Date.now() + world.state.clock.offset * 1000);
  for (const [place, text] of [[".clock-day", DAY.format(now)], [".clock-time", TIME.format(now)]]) {
    const shown = document.querySelector(place);
    if (shown.textContent !== text) shown.textContent = text; // it is a live region: the same again would be read aloud
  }
}

function nextMorning() {
  const now = new Date(Date.now() + world.state.clock.offset * 1000);
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "numeric", second: "numeric", hour12: false, timeZone: "Europe/Brussels" }).formatToParts(now).map((part) => [part.type, Number(part.value)]));
  const passed = parts.hour * 3600 + parts.minute * 60 + parts.second;
  return (passed < 8 * 3600 ? 8 * 3600 : 32 * 3600) - passed;
}

async function addNewcomer(name, language) {
  const made = await post("users", { first_name: name, language_code: language });
  world.state.users[made.id] = made.user;
  addPhone(made.user);
  return made;
}

async function addStaff(name, status = "member") {
  const made = await post("users", { first_name: name, language_code: "nl" });
  world.state.users[made.id] = made.user;
  await post(`staff/${made.id}/join`, { status });
}

async function begin() {
  await world.start();
  if (!Object.keys(world.state.users).length) {
    await addStaff("Els", "administrator");
    await addNewcomer("Amina", "ar");
    await addNewcomer("Olena", "uk");
  }
  renderAll();
  setInterval(tickClock, 1000);
  setInterval(() => { phones.forEach((phone) => phone.view.list.querySelector(".typing.on") && phone.view.render()); }, 2000);
}

document.querySelectorAll("[data-forward]").forEach((button) => button.addEventListener("click", () => safely(() => post("clock", { forward: Number(button.dataset.forward) }))));
document.querySelector("[data-testid=forward-morning]").addEventListener("click", () => safely(() => post("clock", { forward: nextMorning() })));
document.querySelector("[data-testid=add-staff]").addEventListener("click", () => safely(() => addStaff(["Bram", "Noor", "Wim", "Lien"][members().length % 4])));
document.querySelector("[data-testid=staff-as]").addEventListener("change", () => topics.view?.render());
const dialog = document.querySelector("dialog.add");
document.querySelector("[data-testid=add-newcomer]").addEventListener("click", () => dialog.showModal());
dialog.addEventListener("close", () => {
  if (dialog.returnValue !== "yes") return;
  const form = dialog.querySelector("form");
  safely(() => addNewcomer(form.elements.name.value, form.elements.language.value));
});

safely(begin);

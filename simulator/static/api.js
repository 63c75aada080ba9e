// Talks to the control API and keeps a copy of the simulator's state, changed by its events.

async function call(method, path, body) {
  const answer = await fetch(`/control/${path}`, {
    method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error || answer.statusText);
  return data;
}

export const post = (path, body = {}) => call("POST", path, body);
export const get = (path) => call("GET", path);

/** A live copy: `state` as GET /control/state gives it; `onChange(event)` after each event ("reload" for all anew). */
export class World {
  constructor(onChange) {
    this.onChange = onChange;
    this.state = null;
    this.typing = new Map();
  }

  async start() {
    this.state = await get("state");
    this.listen();
  }

  listen() {
    const source = new EventSource(`/control/events?after=${this.state.last_event}`);
    source.onmessage = async (message) => {
      const event = JSON.parse(message.data);
      if (event.type === "reload") return this.reload(source);
      this.state.last_event = event.n;
      this.apply(event);
      this.onChange(event);
    };
    source.onerror = () => {
      source.close();
      setTimeout(() => this.reload(source), 1000);
    };
  }

  async reload(source) {
    source.close();
    try {
      this.state = await get("state");
      this.onChange({ type: "reload" });
      this.listen();
    } catch {
      setTimeout(() => this.reload(source), 1500);
    }
  }

  chat(id) { return this.state.chats[id]; }

  apply(event) {
    const { state } = this;
    const chat = event.chat !== undefined && typeof event.chat !== "object" ? state.chats[event.chat] : null;
    switch (event.type) {
      case "user":
        state.users[event.user.id] = event.user;
        state.chats[event.user.id] ??= { id: event.user.id, type: "private", members: {}, topics: {}, messages: [] };
        break;
      case "reach": state.reach[event.user] = event.status; break;
      case "chat": state.chats[event.chat.id] ??= { members: {}, topics: {}, messages: [], ...event.chat }; break;
      case "member": chat.members[event.user] = event.member; break;
      case "migrated":
        state.chats[event.new_chat] = { ...chat, id: event.new_chat, type: "supergroup", messages: [...chat.messages] };
        if (state.staff_chat === event.chat) state.staff_chat = event.new_chat;
        break;
      case "topic": {
        chat.topics[event.thread] = { thread: event.thread, closed: false, deleted: false, ...chat.topics[event.thread], ...event.patch };
        if (event.patch.deleted) {
          chat.messages = chat.messages.filter((m) => m.message_thread_id !== event.thread && m.message_id !== event.thread);
        }
        break;
      }
      case "message":
        chat.messages.push(event.message);
        this.typing.delete(`${event.chat}/${event.message.message_thread_id || 0}`);
        break;
      case "edited": {
        const found = chat.messages.find((m) => m.message_id === event.message_id);
        if (found) for (const [name, value] of Object.entries(event.patch)) value === null ? delete found[name] : (found[name] = value);
        break;
      }
      case "deleted": chat.messages = chat.messages.filter((m) => !event.message_ids.includes(m.message_id)); break;
      case "keyboard": event.markup === null ? delete state.keyboards[event.chat] : (state.keyboards[event.chat] = event.markup); break;
      case "reaction": state.reactions[`${event.chat}/${event.message_id}/${event.actor}`] = event.reaction; break;
      case "clock": state.clock.offset = event.offset; break;
      case "bot": state.bot = { ...state.bot, ...event.me }; break;
      case "action": this.typing.set(`${event.chat}/${event.thread || 0}`, Date.now()); break;
      default:
    }
  }
}

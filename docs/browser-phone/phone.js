// A telephone: it asks Switchboard for a token, and calls and is called with Twilio's Voice SDK.
// Whatever comes from outside is shown as text. The key stays in its field, the token in the Device.

const KEYS = "123456789*0#";
const SENTENCES = {
  offline: "Offline",
  connecting: "Going online …",
  ready: "Online: you can call and be called",
  calling: "Calling …",
  ringing: "It rings",
  incoming: "It rings here",
  talking: "Connected",
};
// which parts of the page there are in which state
const SHOWN = {
  "sign-in": ["offline", "connecting", "ready"],
  call: ["ready"],
  incoming: ["incoming"],
  talk: ["calling", "ringing", "talking"],
  "go-offline": ["connecting", "ready"],
};

const element = (id) => document.getElementById(id);
const signIn = element("sign-in");
let device = null;
let call = null;
// which attempt to go online this is: what comes of one that was given up counts no more
let attempt = 0;

function show(state) {
  element("state").dataset.state = state;
  element("state").textContent = SENTENCES[state];
  for (const [id, states] of Object.entries(SHOWN)) {
    element(id).hidden = !states.includes(state);
  }
  element("go-online").disabled = state !== "offline";
  for (const field of signIn.querySelectorAll("input")) {
    field.disabled = state !== "offline";
  }
  note(SENTENCES[state]);
}

function note(sentence) {
  const entry = document.createElement("li");
  entry.textContent = `${new Date().toLocaleTimeString()}  ${sentence}`;
  element("log").prepend(entry);
}

function complain(sentence) {
  if (sentence && sentence !== element("trouble").textContent) {
    note(sentence);
  }
  element("trouble").textContent = sentence;
  element("trouble").hidden = sentence === "";
}

function explained(error) {
  if (isUnreached(error)) {
    return "Twilio can not be reached from here. It is tried again until you go offline.";
  }
  const code = error?.code ? ` (code ${error.code})` : "";
  const words = error?.explanation || error?.description || error?.message || String(error);
  return `${isRefused(error) ? "Twilio does not take the token" : "Twilio's Voice SDK reports an error"}${code}: ${words}`;
}

// The codes are Twilio's: https://www.twilio.com/docs/voice/sdks/error-codes
function isUnreached(error) {
  return [31000, 31005, 31009, 53000, 53001].includes(error?.code) && device?.state !== "registered";
}

function isRefused(error) {
  return (error?.code >= 20100 && error.code < 20200) || (error?.code >= 31201 && error.code <= 31207);
}

async function fetchToken() {
  const { app, key, identity } = signIn.elements;
  const url = new URL("/api/voice/token", app.value || location.origin);
  url.searchParams.set("identity", identity.value);
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", headers: key.value ? { "x-functions-key": key.value } : {} });
  } catch {
    throw new Error(`Switchboard can not be reached at ${url.origin}, or does not allow this page (CORS).`);
  }
  if (answer.status === 401) {
    throw new Error("Switchboard does not take this function key.");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok || typeof content.token !== "string") {
    throw new Error(`Switchboard gives no token (HTTP ${answer.status}): ${content.detail ?? "it does not say why"}.`);
  }
  note(`There is a token for ${content.identity}, until ${new Date(content.expires_at).toLocaleTimeString()}`);
  return content.token;
}

async function goOnline() {
  const mine = (attempt += 1);
  complain("");
  show("connecting");
  try {
    const token = await fetchToken();
    if (mine !== attempt) {
      return;
    }
    device = new Twilio.Device(token, { logLevel: "error", closeProtection: true, tokenRefreshMs: 30_000 });
    listenTo(device);
    // resolved when Twilio knows this browser; the SDK tries again for as long as it takes
    await device.register();
  } catch (error) {
    if (mine === attempt) {
      complain(error instanceof Error && !error.code ? error.message : explained(error));
      goOffline();
    }
  }
}

function goOffline() {
  attempt += 1;
  const gone = device;
  device = null;
  gone?.destroy();
  show("offline");
}

function listenTo(it) {
  it.on("registered", () => {
    complain("");
    if (call === null) {
      show("ready");
    }
  });
  it.on("error", (error) => {
    complain(explained(error));
    // a conversation goes on without a token
    if (isRefused(error) && call === null) {
      goOffline();
    }
  });
  it.on("incoming", (incoming) => {
    const who = incoming.customParameters.get("caller") || incoming.parameters.From || "Somebody";
    if (call !== null) {
      note(`${who} calls, too, and hears that the line is busy`);
      incoming.reject();
      return;
    }
    take(incoming);
    element("caller").textContent = `${who} calls.`;
    element("other-end").textContent = who;
    show("incoming");
    element("answer").focus();
  });
  it.on("tokenWillExpire", async () => {
    try {
      it.updateToken(await fetchToken());
    } catch (error) {
      complain(error.message);
    }
  });
}

async function dial() {
  complain("");
  const to = element("call").elements.to.value.trim().replace(/^\+[\d\s()./-]+$/, (number) => number.replace(/[^+\d]/g, ""));
  show("calling");
  element("other-end").textContent = to;
  try {
    take(await device.connect({ params: { To: to } }));
  } catch (error) {
    complain(explained(error));
    show(atRest());
  }
}

function take(it) {
  call = it;
  it.on("ringing", () => show("ringing"));
  it.on("accept", () => show("talking"));
  it.on("error", (error) => complain(explained(error)));
  it.on("mute", (isMuted) => element("mute").setAttribute("aria-pressed", String(isMuted)));
  for (const end of ["disconnect", "cancel", "reject"]) {
    it.on(end, () => over(it));
  }
}

function atRest() {
  if (device === null) {
    return "offline";
  }
  return device.state === "registered" ? "ready" : "connecting";
}

function over(it) {
  if (call === it) {
    call = null;
    element("other-end").textContent = "";
    element("mute").setAttribute("aria-pressed", "false");
    show(atRest());
  }
}

function submitted(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

function pressed(id, act) {
  element(id).addEventListener("click", act);
}

for (const key of KEYS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.addEventListener("click", () => call?.sendDigits(key));
  element("keys").append(button);
}
submitted(signIn, goOnline);
submitted(element("call"), dial);
pressed("go-offline", () => {
  complain("");
  goOffline();
});
pressed("answer", () => call?.accept());
pressed("decline", () => call?.reject());
pressed("hang-up", () => call?.disconnect());
pressed("mute", () => call?.mute(!call.isMuted()));
show("offline");
if (typeof globalThis.Twilio === "undefined") {
  element("go-online").disabled = true;
  complain("Twilio's Voice SDK is not there: run npm install in the folder of this page.");
}

// Serves the page on this machine, and passes what it asks Switchboard for on to it: to the browser that is one server.
// In production that is a server of yours, which knows who is signed in and keeps the function key.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const HOST = "127.0.0.1";
const APP = (process.env.SWITCHBOARD ?? "http://127.0.0.1:7071").replace(/\/+$/, "");
const TOKEN = "/api/voice/token";
const FILES = {
  "/": ["index.html", "text/html"],
  "/phone.css": ["phone.css", "text/css"],
  "/phone.js": ["phone.js", "text/javascript"],
  "/node_modules/@twilio/voice-sdk/dist/twilio.min.js": [
    "node_modules/@twilio/voice-sdk/dist/twilio.min.js",
    "text/javascript",
  ],
};

const server = createServer(async (request, response) => {
  const [, path, query] = /^([^?]*)(.*)$/.exec(request.url);
  const [name, type] = FILES[path] ?? [];
  try {
    if (request.method !== "GET" || !(name || path === TOKEN)) {
      response.writeHead(404).end();
    } else if (name) {
      const content = await readFile(fileURLToPath(new URL(name, import.meta.url)));
      response.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-cache" }).end(content);
    } else {
      await passOn(request, response, query);
    }
  } catch (error) {
    response.writeHead(error.code === "ENOENT" ? 404 : 502).end();
  }
});

async function passOn(request, response, query) {
  const key = request.headers["x-functions-key"];
  const answer = await fetch(APP + TOKEN + query, { headers: key ? { "x-functions-key": key } : {} });
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  const content = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { "Content-Type": type, "Cache-Control": "no-store" }).end(content);
}

server.listen(Number(process.env.PORT ?? 8080), HOST, () => {
  console.log(`The telephone is at http://${HOST}:${server.address().port}, Switchboard at ${APP}`);
});

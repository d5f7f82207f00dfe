import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";

const root = new URL("../", import.meta.url);
const page = readFileSync(new URL("index.html", root), "utf8");

test("what the page loads is there", () => {
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual(loaded, ["style.css", "js/main.mjs"]);
  assert.ok(loaded.every((file) => existsSync(new URL(file, root))));
});

test("the script finds its elements", () => {
  const script = readFileSync(new URL("js/main.mjs", root), "utf8");
  const ids = [...script.matchAll(/getElementById\("([^"]+)"\)/g)].map((match) => match[1]);
  assert.deepEqual(ids, ["words", "books"]);
  assert.ok(ids.every((id) => page.includes(`id="${id}"`)));
});

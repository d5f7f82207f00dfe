import assert from "node:assert/strict";
import test from "node:test";
import { filter } from "../js/filter.mjs";

const books = [
  { title: "Pale Fire", author: "Vladimir Nabokov" },
  { title: "Fire Weather", author: "John Vaillant" },
];

test("every word must be there", () => {
  assert.deepEqual(filter(books, "FIRE nabo"), [books[0]]);
});

test("nothing asked is everything", () => {
  assert.deepEqual(filter(books, "  "), books);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

test("every book has its fields", () => {
  const books = JSON.parse(readFileSync(new URL("../data/books.json", import.meta.url)));
  assert.ok(books.every((book) => book.title && book.author && Number.isInteger(book.year)));
});

import assert from "node:assert/strict";
import test from "node:test";
import { render } from "../js/render.mjs";

test("a book is an item", () => {
  const html = render([{ title: "Pale Fire", author: "Vladimir Nabokov", year: 1962 }]);
  assert.equal(html, "<ul><li><cite>Pale Fire</cite>, Vladimir Nabokov (1962)</li></ul>");
});

test("titles are no markup", () => {
  const html = render([{ title: "<b>&", author: '"A"', year: 1 }]);
  assert.equal(html, "<ul><li><cite>&lt;b&gt;&amp;</cite>, &quot;A&quot; (1)</li></ul>");
});

test("nothing found is said", () => {
  assert.match(render([]), /No book/);
});

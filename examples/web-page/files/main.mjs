import { filter } from "./filter.mjs";
import { render } from "./render.mjs";

const books = await (await fetch("data/books.json")).json();
const words = document.getElementById("words");
const list = document.getElementById("books");
const show = () => (list.innerHTML = render(filter(books, words.value)));
words.addEventListener("input", show);
show();

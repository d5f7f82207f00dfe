// The list as HTML.
export function render(books) {
  if (books.length === 0) return "<p>No book is called so.</p>";
  const item = (book) => `<li><cite>${escaped(book.title)}</cite>, ${escaped(book.author)} (${book.year})</li>`;
  return `<ul>${books.map(item).join("")}</ul>`;
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

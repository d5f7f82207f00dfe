// The list as HTML.
export function render(books) {
  if (books.length === 0) return "<p>No book is called so.</p>";
  const item = (book) => `<li><cite>${book.title}</cite>, ${book.author} (${book.year})</li>`;
  return `<ul>${books.map(item).join("")}</ul>`;
}

// The books whose title or author holds every word, ignoring case.
export function filter(books, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (book) => `${book.title} ${book.author}`.toLowerCase();
  return books.filter((book) => wanted.every((word) => text(book).includes(word)));
}

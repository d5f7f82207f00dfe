//! Files that nobody waits for: prompts, and cco's blocks in the context files. Written by a thread of their own, since
//! each file costs as much as the rest of a step's bookkeeping.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::context::marked;
use crate::fsx;

/// Something to be written behind.
#[derive(Debug)]
enum Page {
    /// A new file.
    Whole(PathBuf, Vec<u8>),
    /// cco's block in a file of the user's.
    Block(PathBuf, String),
    /// Tells the sender that everything before it is written.
    Mark(Sender<()>),
}

/// The writer behind. What it cannot write is a warning: these files can be rendered again.
#[derive(Debug)]
pub struct Archive {
    pages: Option<Sender<Page>>,
    thread: Option<JoinHandle<()>>,
}

impl Archive {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (pages, inbox) = channel();
        let thread = std::thread::Builder::new().name("archive".to_owned()).spawn(move || {
            let mut failed = 0_u64;
            for page in inbox {
                if let Err(error) = write(&page) {
                    failed += 1;
                    // What keeps one from being written (a full disk) keeps most.
                    if failed == 1 {
                        tracing::warn!("cannot write behind: {error}");
                    }
                }
            }
            if failed > 1 {
                tracing::warn!("files that could not be written behind: {failed}");
            }
        })?;
        Ok(Self { pages: Some(pages), thread: Some(thread) })
    }

    /// Writes a file of cco's own.
    pub fn whole(&self, path: PathBuf, contents: Vec<u8>) {
        self.send(Page::Whole(path, contents));
    }

    /// Writes cco's block into a file of the user's.
    pub fn block(&self, path: PathBuf, block: String) {
        self.send(Page::Block(path, block));
    }

    /// Waits until everything so far is written.
    pub fn flush(&self) {
        let (mark, written) = channel();
        self.send(Page::Mark(mark));
        // The thread is gone only if it failed: then there is nothing to wait for.
        let _ = written.recv();
    }

    fn send(&self, page: Page) {
        if let Some(pages) = &self.pages {
            // The thread lives as long as the sender.
            let _ = pages.send(page);
        }
    }
}

impl Drop for Archive {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.pages = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(page: &Page) -> std::io::Result<()> {
    match page {
        Page::Whole(path, contents) => fs_err::write(path, contents),
        Page::Block(path, block) => write_block(path, block),
        Page::Mark(mark) => {
            // Whoever asked waits for it.
            let _ = mark.send(());
            Ok(())
        }
    }
}

fn write_block(path: &Path, block: &str) -> std::io::Result<()> {
    let old = match fsx::read_regular(path, fsx::LARGEST_TEXT) {
        Ok(old) => old,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let new = marked::replace(&old, block);
    if new == old {
        Ok(())
    } else if marked::outside(&old).trim_ascii().is_empty() {
        // Nothing of the user's can be lost, and waiting for the disk would cost as much as several steps.
        fsx::write_whole(path, &new)
    } else {
        fsx::write_atomic(path, &new)
    }
}

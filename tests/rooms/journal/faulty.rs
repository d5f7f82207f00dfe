//! A journal file in memory that fails as disks do.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use cco::journal::JournalFile;

/// What is on the disk, shared with the test that looks at it.
#[derive(Debug, Default)]
pub struct Disk {
    /// What a reader sees.
    pub bytes: Vec<u8>,
    /// How many bytes fit, if there is a limit.
    pub capacity: Option<usize>,
    /// Whether syncing fails.
    pub sync_fails: bool,
    pub appends: usize,
    pub syncs: usize,
}

#[derive(Debug, Clone, Default)]
pub struct FaultyFile(pub Rc<RefCell<Disk>>);

impl FaultyFile {
    pub fn holding(bytes: &[u8]) -> Self {
        let file = Self::default();
        file.0.borrow_mut().bytes = bytes.to_vec();
        file
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.borrow().bytes.clone()
    }
}

impl JournalFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.appends += 1;
        let room = disk.capacity.map_or(bytes.len(), |capacity| capacity.saturating_sub(disk.bytes.len()));
        let taken = room.min(bytes.len());
        disk.bytes.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.syncs += 1;
        if disk.sync_fails { Err(io::Error::other("sync failed")) } else { Ok(()) }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.borrow_mut().bytes.truncate(len as usize);
        Ok(())
    }

    fn reader(&mut self) -> io::Result<impl Read> {
        Ok(io::Cursor::new(self.bytes()))
    }
}

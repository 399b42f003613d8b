//! OTLP into a file, in the forms of the Collector's file exporter: a request of JSON a line, or protobuf behind its length.

use super::{
    super::settings::{Encoding, Way},
    Reply, Signal, Transport,
};
use crate::Error;
use std::{
    fs::{self, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Requests at the end of one file, which has no other writer.
pub(super) struct File {
    path: PathBuf,
    signal: Signal,
    encoding: Encoding,
}

impl File {
    pub(super) fn open(way: &Way, signal: Signal) -> Result<Self, Error> {
        let given = way.file().ok_or_else(|| Error::config("OTLP into a file: a path is accepted"))?;
        let this = Self { path: beside(given, signal), signal, encoding: way.encoding };
        // What cannot be written is said at the start.
        let failed = |source| Error::io(format!("OTLP file {}", this.path.display())).with_source(source);
        let file = this.opened().map_err(failed)?;
        if way.encoding == Encoding::Protobuf {
            cut_half_message(file).map_err(failed)?;
        }
        Ok(this)
    }

    /// Opened for each request: what was moved away meanwhile (by logrotate and its kind) is begun anew.
    fn opened(&self) -> io::Result<fs::File> {
        let is_new = !self.path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("a regular file is accepted"));
        }
        if is_new {
            keep_name(&self.path);
        }
        Ok(file)
    }

    fn append(&self, body: &[u8]) -> io::Result<()> {
        let mut file = self.opened()?;
        let length = file.seek(SeekFrom::End(0))?;
        let entry = self.entry(&mut file, length, body)?;
        let written = file.write_all(&entry).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half an entry would make what comes after it unreadable; it was never said to be there.
            let _ = file.set_len(length);
        }
        written
    }

    fn entry(&self, file: &mut fs::File, length: u64, body: &[u8]) -> io::Result<Vec<u8>> {
        if self.encoding == Encoding::Json {
            // After a crash in the middle of a line the next one begins anew.
            let begin: &[u8] = if length > 0 && last_byte(file)? != b'\n' { b"\n" } else { b"" };
            return Ok([begin, body, b"\n"].concat());
        }
        // "The size is … 4 bytes, big endian": the file exporter's `proto`.
        let size = u32::try_from(body.len()).map_err(io::Error::other)?;
        Ok([&size.to_be_bytes(), body].concat())
    }
}

impl Transport for File {
    fn send(&mut self, signal: Signal, body: &[u8]) -> Reply {
        debug_assert_eq!(signal, self.signal, "a transport is for one signal");
        match self.append(body) {
            Ok(()) => Reply::Accepted,
            // A full disk is emptied again; what else a system says may be over later too, and the log has it all.
            Err(error) => Reply::Retry { after: None, why: format!("OTLP file {}: {error}", self.path.display()) },
        }
    }
}

/// The file that a signal goes into, by the one name that it has among its links and detours; none where its folder is not
/// there.
pub(in crate::otlp) fn only_name(given: &Path, signal: Signal) -> Option<PathBuf> {
    let path = beside(given, signal);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
}

/// Traces into the file itself, `run.metrics.jsonl` beside `run.jsonl`: each has one writer.
fn beside(path: &Path, signal: Signal) -> PathBuf {
    if signal == Signal::Traces {
        return path.to_owned();
    }
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    path.with_extension(format!("{signal}{ending}"))
}

/// Takes off what a crash left of a message: behind it nothing could be read. It was never said to be there.
fn cut_half_message(mut file: fs::File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut at = 0;
    while at < length {
        let mut head = Vec::with_capacity(PREFIX_BYTES + 1);
        file.seek(SeekFrom::Start(at))?;
        Read::by_ref(&mut file).take(PREFIX_BYTES as u64 + 1).read_to_end(&mut head)?;
        if head.iter().all(|byte| *byte == 0) && is_blank(&mut file, at)? {
            return file.set_len(at);
        }
        // Every export request is one repeated field, the first. What begins with text has the length of one that nobody
        // wrote, and is not ours to cut.
        let is_other = |tag: &u8| *tag != 0x0a;
        if head.get(PREFIX_BYTES).is_some_and(is_other) || head.first().is_some_and(|byte| *byte > MOST_FIRST_BYTE) {
            return Err(io::Error::other("a file of OTLP messages behind their lengths is accepted"));
        }
        let size = head.first_chunk().map_or(u64::MAX, |size| u64::from(u32::from_be_bytes(*size)));
        match at.saturating_add(PREFIX_BYTES as u64).saturating_add(size) {
            end if end > length => return file.set_len(at),
            end => at = end,
        }
    }
    Ok(())
}

/// Whether there is nothing but zeros from here on: what a file system made room for and had not written when the power
/// went.
fn is_blank(file: &mut fs::File, at: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(at))?;
    for byte in BufReader::new(file).bytes() {
        if byte? != 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

const PREFIX_BYTES: usize = 4;
/// Of a length: messages are shorter than 128 MiB ("it is RECOMMENDED to limit request size to 64 MiB").
const MOST_FIRST_BYTE: u8 = 7;

fn last_byte(file: &mut fs::File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A new file's name is kept by its folder (fsync(2): "an explicit fsync() on a file descriptor for the directory is
/// also needed"). Not every system lets folders be opened.
fn keep_name(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

//! What is not ours, what is damaged, and disks that are full.

use super::{Gate, LIMIT, event, read, read_all, step, steps};
use crate::scratch::Scratch;
use rusqlite::Connection;
use spanwright::{
    Cursor, EventLog, ExecutionId,
    event::{Batch, ExecutionStart, Recorded},
    log::{ExecutionsQuery, Query, Scope, SqliteLog},
};
use std::{path::Path, sync::Arc, time::Duration};

/// Opening must fail so, and leave the file as it is.
fn refused(path: &Path) -> spanwright::Error {
    let before = std::fs::read(path).expect("file");
    let error = SqliteLog::open(path).expect_err("refused");
    assert_eq!(std::fs::read(path).expect("file"), before, "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let text = scratch.file("notes.txt");
    std::fs::write(&text, "remember the milk\n".repeat(100)).expect("write");
    assert!(refused(&text).is_corrupt());

    let other = scratch.file("other.db");
    Connection::open(&other).expect("open").execute_batch("CREATE TABLE milk (litres)").expect("table");
    assert!(refused(&other).is_config());

    let newer = scratch.file("newer.db");
    drop(SqliteLog::open(&newer).expect("open"));
    Connection::open(&newer).expect("open").pragma_update(None, "user_version", 2).expect("version");
    let error = refused(&newer);
    assert!(error.is_config() && error.to_string().contains("newer version"), "{error}");
}

#[test]
fn a_path_that_cannot_be_is_refused() {
    let scratch = Scratch::new();
    assert!(SqliteLog::open("").expect_err("empty").is_config());
    assert!(SqliteLog::open(scratch.file("no/such/place.db")).expect_err("no place").is_io());
    assert!(SqliteLog::open(scratch.file("")).expect_err("a folder").is_io());
}

#[test]
fn an_empty_file_becomes_a_log() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("log.db"), "").expect("write");
    SqliteLog::open(scratch.file("log.db")).expect("open");
}

fn filled(scratch: &Scratch, events: u32) -> std::path::PathBuf {
    let log = SqliteLog::open(scratch.file("log.db")).expect("open");
    let id = ExecutionId::new();
    let mut gate = Gate::new(&log);
    gate.append([event(&id, ExecutionStart::new().session_id("s"))]);
    gate.append(steps(&id, 1..events));
    log.path().to_path_buf()
}

#[test]
fn a_file_that_is_cut_short_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 1000);
    let whole = std::fs::read(&path).expect("file");
    for kept in [1, 15, 16, 99, 512, 4095, 4096, 8192, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..kept]).expect("cut");
        assert!(refused(&path).is_corrupt(), "cut to {kept}");
    }
}

#[test]
fn a_damaged_row_is_left_out_and_counted() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 10);
    let outside = Connection::open(&path).expect("open");
    for (column, value) in
        [("fields", "x'ff00'"), ("time_ns", "'soon'"), ("step_id", "''"), ("kind", "99"), ("execution", "99")]
    {
        outside
            .execute("UPDATE events SET fields = '{}', time_ns = 0, step_id = NULL, kind = 2, execution = 1", ())
            .expect("heal");
        outside.execute(&format!("UPDATE events SET {column} = {value} WHERE event_offset = 5"), ()).expect("damage");
        let log = SqliteLog::open(&path).expect("one row never keeps a log from opening");
        for _ in 0..2 {
            let page = read(&log, Query::new(Scope::Everything, 0, 100));
            let offsets: Vec<_> = page.events.iter().map(|event| event.cursor.offset).collect();
            assert_eq!(offsets, [1, 2, 3, 4, 6, 7, 8, 9, 10], "{column}");
            assert!(page.complete);
        }
        assert_eq!(log.unreadable_rows(), 1, "{column}");
    }
}

#[test]
fn damaged_pages_cost_only_what_was_on_them() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 3000);
    let whole = std::fs::read(&path).expect("file");
    let mut lossy = 0;
    for page in (2..whole.len() / 4096).step_by(7) {
        let mut bytes = whole.clone();
        bytes[page * 4096..page * 4096 + 64].fill(0xA5);
        std::fs::write(&path, &bytes).expect("damage");
        let Ok(log) = SqliteLog::open(&path) else { continue };
        let kept = read_all(&log, Scope::Everything);
        assert!(kept.windows(2).all(|pair| pair[0].cursor.offset < pair[1].cursor.offset));
        assert!(kept.len() > 2800, "{} left of 3000 with page {page} gone", kept.len());
        assert_eq!(kept.len() < 3000, log.unreadable_rows() > 0);
        lossy += u32::from(kept.len() < 3000);
    }
    assert!(lossy > 3);
}

#[test]
fn flipped_bits_never_panic_or_hang() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 300);
    let whole = std::fs::read(&path).expect("file");
    let mut random = numbers(7);
    for round in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            let at = (random() as usize) % bytes.len();
            bytes[at] ^= 1 << (random() % 8);
        }
        let path = scratch.file(&format!("{round}.db"));
        std::fs::write(&path, &bytes).expect("damage");
        if let Ok(log) = SqliteLog::open(&path) {
            read_and_write(&log);
            // What it could not write it would try to write for a while yet; nothing here waits for that.
            std::thread::spawn(move || drop(log));
        }
        let _ = std::fs::remove_file(&path);
    }
}

/// Whatever comes of it.
fn read_and_write(log: &SqliteLog) {
    let _ = log.read(Query::new(Scope::Everything, 0, 1000)).wait(LIMIT).map(|page| {
        page.events.iter().for_each(|event| drop(event.to_stream()));
    });
    let _ = log.read(Query::new(Scope::Session("s".into()), 0, 1000)).wait(LIMIT);
    let _ = log.executions(ExecutionsQuery::newest(10)).wait(LIMIT);
    let _ = log.unfinished().wait(LIMIT);
    let batch = Arc::new(Batch::new(
        Cursor::new(log.opened_at().epoch, log.opened_at().offset + 1),
        vec![Recorded::new(step(&ExecutionId::new(), "more"), 1, 0, true)],
    ));
    drop(log.append(batch));
    let _ = log.flush().wait(LIMIT);
}

/// Numbers that are the same in every run: xorshift.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn a_full_disk_is_told_and_heals_by_itself() {
    let scratch = Scratch::new();
    let path = filled(&scratch, 10);
    let outside = Connection::open(&path).expect("open");
    outside.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS weight").expect("ballast");
    let pages: u32 = outside.query_row("PRAGMA page_count", (), |row| row.get(0)).expect("pages");
    let log = SqliteLog::builder(&path).max_pages(pages + 2).open().expect("open");
    let (mut gate, id) = (Gate::new(&log), ExecutionId::new());
    let answers: Vec<_> = (0..20).map(|_| log.append(gate.batch(steps(&id, 0..100)))).collect();
    for _ in 0..3 {
        let error = log.flush().wait(LIMIT).expect_err("full");
        assert!(error.is_io() && error.to_string().contains("full"), "{error}");
    }
    assert_eq!(read_all(&log, Scope::Everything).len(), 10, "reading goes on, and nothing half-written is seen");
    outside.execute_batch("PRAGMA busy_timeout = 60000; DROP TABLE ballast").expect("room");
    for answer in answers {
        answer.wait(LIMIT).expect("written when there was room");
    }
    log.flush().wait(LIMIT).expect("flush");
    let kept = read_all(&log, Scope::Execution(id));
    assert_eq!(kept.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=2000).collect::<Vec<_>>());
}

/// A file system of 4 MiB, for as long as this lives.
struct SmallDisk(Scratch);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let scratch = Scratch::new();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "spanwright-test"])
            .arg(scratch.file(""))
            .status();
        mount.is_ok_and(|status| status.success()).then_some(Self(scratch))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.file("")).status();
    }
}

#[test]
#[ignore = "mounts a small tmpfs: root only"]
fn a_disk_that_is_really_full_is_told_and_heals_by_itself() {
    let Some(disk) = SmallDisk::mount() else { return eprintln!("skipped: no tmpfs can be mounted") };
    for cycle in 0..20 {
        let log = SqliteLog::open(disk.0.file("log.db")).expect("open");
        let (mut gate, id) = (Gate::new(&log), ExecutionId::new());
        gate.append(steps(&id, 0..10));
        std::fs::write(disk.0.file("ballast"), vec![1; 4 << 20]).expect_err("full");
        let answers: Vec<_> = (0..10).map(|_| log.append(gate.batch(steps(&id, 0..100)))).collect();
        assert!(log.flush().wait(LIMIT).expect_err("full").is_io(), "cycle {cycle}");
        assert_eq!(read_all(&log, Scope::Execution(id.clone())).len(), 10);
        std::fs::remove_file(disk.0.file("ballast")).expect("room");
        for answer in answers {
            answer.wait(Duration::from_secs(1)).expect("written within a second of there being room");
        }
        assert_eq!(read_all(&log, Scope::Execution(id)).len(), 1010);
        drop(log);
        std::fs::remove_file(disk.0.file("log.db")).expect("a fresh start");
    }
}

//! CPU time: of this thread, of the whole process, of a thread by its name.

use rustix::time::{ClockId, clock_gettime};

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Time since the machine started, in ns: the same for all its processes.
pub fn monotonic_ns() -> u64 {
    nanos(ClockId::Monotonic)
}

/// CPU time of the calling thread, in ns.
pub fn thread_ns() -> u64 {
    nanos(ClockId::ThreadCPUTime)
}

/// CPU time of all threads of the process, in ns.
pub fn process_ns() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

/// CPU time of the threads of this process whose name begins so, in ns. The kernel cuts names to 15 bytes.
pub fn named_threads_ns(name: &str) -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let of_name = tasks.flatten().filter(|task| read(task, "comm").is_some_and(|comm| comm.starts_with(name)));
    of_name.filter_map(|task| read(&task, "schedstat")?.split(' ').next()?.parse::<u64>().ok()).sum()
}

fn read(task: &std::fs::DirEntry, file: &str) -> Option<String> {
    std::fs::read_to_string(task.path().join(file)).ok()
}

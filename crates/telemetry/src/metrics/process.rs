//! What the operating system tells of this process, under the names that Prometheus' own clients use
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use super::NONE;
use super::collectors::Collectors;

/// What is known of a process at one moment.
pub(super) struct Usage {
    cpu_seconds: f64,
    resident_bytes: u64,
    open_fds: Option<usize>,
    max_fds: Option<u64>,
    threads: i64,
    started_at: Option<u64>,
}

impl Usage {
    /// Of this process; `None` where the system does not tell.
    #[cfg(target_os = "linux")]
    pub(super) fn read() -> Option<Self> {
        use procfs::WithCurrentSystemInfo as _;
        use procfs::process::{LimitValue, Process};

        let process = Process::myself().ok()?;
        let stat = process.stat().ok()?;
        let max_fds = process.limits().ok().map(|limits| limits.max_open_files.soft_limit);
        let ticks_per_second = procfs::ticks_per_second();
        Some(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks_per_second as f64,
            resident_bytes: stat.rss_bytes().get(),
            open_fds: process.fd_count().ok(),
            max_fds: max_fds.map(|limit| match limit {
                LimitValue::Value(limit) => limit,
                LimitValue::Unlimited => u64::MAX,
            }),
            threads: stat.num_threads,
            started_at: procfs::boot_time_secs().ok().map(|boot| boot + stat.starttime / ticks_per_second),
        })
    }

    /// Other systems are asked nothing.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn read() -> Option<Self> {
        None
    }

    pub(super) fn show(&self, collectors: &Collectors) {
        let cpu = collectors.process_cpu.with_label_values(NONE);
        // Two scrapes at one time may have read in another order.
        cpu.inc_by((self.cpu_seconds - cpu.get()).max(0.0));
        for (gauge, value) in [
            (&collectors.process_resident, Some(self.resident_bytes as f64)),
            (&collectors.process_open_fds, self.open_fds.map(|count| count as f64)),
            (&collectors.process_max_fds, self.max_fds.map(|limit| limit as f64)),
            (&collectors.process_threads, Some(self.threads as f64)),
            (&collectors.process_start_time, self.started_at.map(|seconds| seconds as f64)),
        ] {
            if let Some(value) = value {
                gauge.with_label_values(NONE).set(value);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use crate::metrics::tests::{all, value};

    #[test]
    fn the_process_tells_what_it_uses() {
        let metrics = all();
        let shown = |name| value(&metrics, name).unwrap();
        assert!(shown("process_resident_memory_bytes") > 100_000.0);
        assert!(shown("process_open_fds") >= 3.0 && shown("process_open_fds") <= shown("process_max_fds"));
        assert!(shown("process_threads") >= 1.0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - shown("process_start_time_seconds")).abs() < 3600.0, "this test has not run for an hour");
        let before = shown("process_cpu_seconds_total");
        let mut sum = 0_u64;
        while shown("process_cpu_seconds_total") <= before {
            sum = (0..1_000_000).fold(sum, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        }
        assert!(std::hint::black_box(sum) != 1);
    }
}

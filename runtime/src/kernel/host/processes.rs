//! The interface `processes`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use wasmtime::component::Resource;

use super::bindings::sinew::process::descriptors::{Errno, Moment};
use super::bindings::sinew::process::processes::{
    Command, Entry as Listed, Event, Host, HostChild, Status,
};
use super::{Child, Held, KernelView, convert, wait};
use crate::fs::FdTable as _;
use crate::kernel::Start;
use crate::kernel::entry::{Ended, Entry, Phase};
use crate::kernel::run::ProcessEnd;
use crate::kernel::signal::SIGNAL_MAX;

type Answer<T> = wasmtime::Result<Result<T, Errno>>;

impl Host for KernelView<'_> {
    async fn spawn(&mut self, command: Command) -> Answer<Resource<Child>> {
        let Some((kernel, parent)) = self.process else {
            return Ok(Err(Errno::NotSupported));
        };
        let (kernel, parent) = (Arc::clone(kernel), Arc::clone(parent));
        let mut descriptors = BTreeMap::new();
        for inherited in &command.descriptors {
            descriptors.insert(inherited.number, self.held(&inherited.descriptor)?);
        }
        let start = Start {
            program: command.program,
            arguments: command.arguments,
            environment: command.environment,
            directory: command.directory,
            descriptors,
            group: command.group,
            umask: command.umask,
            ignored: command.ignored,
            session: None,
        };
        match kernel.start(Some(&parent), start).await {
            Ok(entry) => Ok(Ok(self.table.push(Child(entry))?)),
            Err(error) => {
                tracing::debug!(%error, "a process was not started");
                Ok(Err(convert::start_errno(&error)))
            }
        }
    }

    fn find(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self
            .process
            .filter(|(kernel, _)| kernel.programs.get(&name).is_some())
            .map(|_| format!("/usr/bin/{name}")))
    }

    fn programs(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.process.map_or_else(Vec::new, |(kernel, _)| {
            kernel.programs.names().map(str::to_owned).collect()
        }))
    }

    fn kill(&mut self, pid: i32, signal: u32) -> Answer<()> {
        let Some((kernel, entry)) = self.process else {
            return Ok(Err(Errno::NotSupported));
        };
        let Some(signal) = u8::try_from(signal).ok().filter(|n| *n <= SIGNAL_MAX) else {
            return Ok(Err(Errno::Invalid));
        };
        Ok(if kernel.kill(entry, pid, signal) {
            Ok(())
        } else {
            Err(Errno::NoProcess)
        })
    }

    fn take(&mut self, number: u32) -> wasmtime::Result<Option<Resource<Held>>> {
        match self.descriptors.get(number) {
            Some(description) => Ok(Some(self.hold(description)?)),
            None => Ok(None),
        }
    }

    fn given(&mut self) -> wasmtime::Result<Vec<u32>> {
        Ok(self.descriptors.numbers())
    }

    fn pid(&mut self) -> wasmtime::Result<u32> {
        Ok(self.process.map_or(1, |(_, entry)| entry.pid))
    }

    fn parent(&mut self) -> wasmtime::Result<u32> {
        Ok(self.process.map_or(0, |(_, entry)| entry.parent()))
    }

    fn group(&mut self) -> wasmtime::Result<u32> {
        Ok(self.process.map_or(1, |(_, entry)| entry.group()))
    }

    fn umask(&mut self) -> wasmtime::Result<u32> {
        Ok(self.process.map_or(0o022, |(_, entry)| entry.umask()))
    }

    fn set_umask(&mut self, mask: u32) -> wasmtime::Result<()> {
        if let Some((_, entry)) = self.process {
            entry.umask.store(mask & 0o777, Ordering::Relaxed);
        }
        Ok(())
    }

    fn ignored(&mut self) -> wasmtime::Result<u64> {
        Ok(self.process.map_or(0, |(_, entry)| entry.signals().ignored))
    }

    fn exit(&mut self, status: u8) -> wasmtime::Result<()> {
        Err(ProcessEnd(Ended::Exited(status)).into())
    }

    fn set_signals(&mut self, handled: u64, ignored: u64) -> wasmtime::Result<()> {
        if let Some((_, entry)) = self.process {
            entry.signals().choose(handled, ignored);
        }
        Ok(())
    }

    fn pending(&mut self) -> wasmtime::Result<Vec<u32>> {
        Ok(self.process.map_or_else(Vec::new, |(_, entry)| {
            let pending = entry.signals().take_pending();
            pending.into_iter().map(u32::from).collect()
        }))
    }

    async fn wait(
        &mut self,
        events: Vec<Event>,
        timeout_ns: Option<u64>,
    ) -> wasmtime::Result<Vec<u32>> {
        let events = events
            .iter()
            .map(|event| self.waited(event))
            .collect::<wasmtime::Result<Vec<_>>>()?;
        let entry = self.process.map(|(_, entry)| Arc::clone(entry));
        Ok(wait::wait(events, entry, timeout_ns).await)
    }

    fn list(&mut self) -> wasmtime::Result<Vec<Listed>> {
        let Some((kernel, caller)) = self.process else {
            return Ok(Vec::new());
        };
        let processes = kernel.processes();
        Ok(processes
            .iter()
            .map(|entry| listed(entry, caller))
            .collect())
    }

    fn times(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok(self.process.map_or((0, 0), |(_, entry)| {
            let own = u64::try_from(entry.cpu_time.get().as_nanos()).unwrap_or(u64::MAX);
            (own, entry.children_cpu_nanos.load(Ordering::Relaxed))
        }))
    }
}

impl KernelView<'_> {
    fn waited(&self, event: &Event) -> wasmtime::Result<wait::Waited> {
        Ok(match event {
            Event::Readable(handle) => wait::Waited::Readable(self.held(handle)?),
            Event::Writable(handle) => wait::Waited::Writable(self.held(handle)?),
            Event::Changed(child) => wait::Waited::Changed(Arc::clone(&self.table.get(child)?.0)),
        })
    }
}

fn listed(entry: &Arc<Entry>, caller: &Arc<Entry>) -> Listed {
    let started = entry.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    let state = match entry.phase() {
        Phase::Stopped(_) => 'T',
        Phase::Ended(_) => 'Z',
        Phase::Running if entry.is_waiting() && !Arc::ptr_eq(entry, caller) => 'S',
        Phase::Running => 'R',
    };
    Listed {
        pid: entry.pid,
        parent: entry.parent(),
        group: entry.group(),
        state,
        started: Moment {
            seconds: i64::try_from(started.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: started.subsec_nanos(),
        },
        processor_ns: u64::try_from(entry.cpu_time.get().as_nanos()).unwrap_or(u64::MAX),
        memory_bytes: entry.usage.memory_bytes(),
        arguments: entry.arguments.clone(),
    }
}

impl HostChild for KernelView<'_> {
    fn pid(&mut self, child: Resource<Child>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&child)?.0.pid)
    }

    fn status(&mut self, child: Resource<Child>) -> wasmtime::Result<Option<Status>> {
        Ok(match self.table.get(&child)?.0.phase() {
            Phase::Running => None,
            Phase::Stopped(signal) => Some(Status::Stopped(signal)),
            Phase::Ended(Ended::Exited(status)) => Some(Status::Exited(status)),
            Phase::Ended(Ended::Signaled(signal)) => Some(Status::Signaled(signal)),
        })
    }

    fn drop(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        self.table.delete(child)?;
        Ok(())
    }
}

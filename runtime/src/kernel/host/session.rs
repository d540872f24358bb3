//! The interface `session`; for any process but the persistent shell there is nothing to take.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::sinew::process::session::{Call, Host};
use super::{Held, KernelView};
use crate::kernel::Description;

impl Host for KernelView<'_> {
    fn next(&mut self) -> wasmtime::Result<Option<Call>> {
        let script = self.session.and_then(super::Session::take_next);
        Ok(script.map(|script| Call { script }))
    }

    fn notify(&mut self) -> wasmtime::Result<Resource<Held>> {
        let description = match self.session {
            Some(session) => Description::Notice(session.notice()),
            None => Description::Empty,
        };
        self.hold(Arc::new(description))
    }

    fn is_broken_off(&mut self) -> wasmtime::Result<bool> {
        Ok(self.session.is_some_and(super::Session::is_broken_off))
    }

    fn done(&mut self, status: u8, state: Vec<u8>, ended: bool) -> wasmtime::Result<()> {
        if let Some(session) = self.session {
            session.report(status, state, ended);
        }
        Ok(())
    }

    fn restored(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        let restored = self.session.and_then(super::Session::restored);
        Ok(restored.map(|state| state.to_vec()))
    }
}

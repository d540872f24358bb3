//! Patterns that automata can run: `regex-automata` finds where a match begins, a second automaton how far the
//! longest one reaches.

use std::sync::{Mutex, OnceLock, PoisonError};

use regex_automata::{
    Anchored, Input, MatchKind,
    hybrid::dfa,
    meta,
    nfa::thompson::{self, pikevm},
    util::{look::LookMatcher, primitives::NonMaxUsize},
};
use regex_syntax::hir::Hir;

use crate::Error;

/// Bytes an automaton may take before it runs. `x{1000}` of Unicode words needs some tens of MiB.
const NFA_BYTES_MAX: usize = 64 << 20;
/// Bytes of the states that a lazy automaton keeps. Beyond that it begins anew.
const CACHE_BYTES_MAX: usize = 8 << 20;

/// A start and an end.
pub(crate) type Span = (usize, usize);

#[derive(Debug)]
pub(crate) struct Automata {
    meta: meta::Regex,
    /// What finds the longest match, for patterns whose preferred match may be a shorter one.
    longest: Option<Longest>,
    groups: usize,
}

#[derive(Debug)]
struct Longest {
    hir: Hir,
    line_terminator: u8,
    built: OnceLock<Option<Machines>>,
}

#[derive(Debug)]
struct Machines {
    dfa: dfa::DFA,
    dfa_cache: Mutex<dfa::Cache>,
    vm: pikevm::PikeVM,
    vm_cache: Mutex<pikevm::Cache>,
}

impl Automata {
    pub(crate) fn new(
        hir: &Hir,
        prefers_longest: bool,
        line_terminator: u8,
        groups: usize,
    ) -> Result<Self, Error> {
        let config = meta::Config::new()
            .utf8_empty(false)
            .line_terminator(line_terminator)
            .nfa_size_limit(Some(NFA_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES_MAX);
        let meta = meta::Builder::new()
            .configure(config)
            .build_from_hir(hir)
            .map_err(|_| Error::TooBig)?;
        let longest = (!prefers_longest).then(|| Longest {
            hir: hir.clone(),
            line_terminator,
            built: OnceLock::new(),
        });
        Ok(Self {
            meta,
            longest,
            groups,
        })
    }

    pub(crate) fn is_match(&self, text: &[u8], start: usize) -> bool {
        start <= text.len() && self.meta.is_match(input(text, start))
    }

    pub(crate) fn find(&self, text: &[u8], start: usize) -> Option<Span> {
        if start > text.len() {
            return None;
        }
        let found = self.meta.search(&input(text, start))?;
        let end = match self.machines() {
            Some(machines) => machines.end(text, found.start()).unwrap_or(found.end()),
            None => found.end(),
        };
        Some((found.start(), end))
    }

    /// Returns the end of some match.
    pub(crate) fn place(&self, text: &[u8], start: usize) -> Option<usize> {
        if start > text.len() {
            return None;
        }
        let found = self.meta.search_half(&input(text, start).earliest(true))?;
        Some(found.offset())
    }

    pub(crate) fn captures(
        &self,
        text: &[u8],
        start: usize,
        groups: &mut Vec<Option<Span>>,
    ) -> bool {
        groups.clear();
        if start > text.len() {
            return false;
        }
        if self.groups == 0 {
            let found = self.find(text, start);
            groups.push(found);
            return found.is_some();
        }
        let mut slots = vec![None; (self.groups + 1) * 2];
        if self
            .meta
            .search_slots(&input(text, start), &mut slots)
            .is_none()
        {
            return false;
        }
        if let Some(machines) = self.machines()
            && let [Some(start), Some(end), ..] = slots.as_slice()
        {
            let (start, end) = (start.get(), end.get());
            if machines
                .end(text, start)
                .is_some_and(|longest| longest != end)
            {
                machines.slots(text, start, &mut slots);
            }
        }
        groups.extend(slots.chunks(2).map(|pair| match pair {
            [Some(start), Some(end)] => Some((start.get(), end.get())),
            _ => None,
        }));
        true
    }

    fn machines(&self) -> Option<&Machines> {
        let longest = self.longest.as_ref()?;
        longest
            .built
            .get_or_init(|| Machines::new(&longest.hir, longest.line_terminator))
            .as_ref()
    }
}

fn input(text: &[u8], start: usize) -> Input<'_> {
    Input::new(text).range(start..)
}

impl Machines {
    /// Builds what finds the longest match. The bounds were kept when the pattern itself was built, so that this
    /// does not fail.
    fn new(hir: &Hir, line_terminator: u8) -> Option<Self> {
        let mut look = LookMatcher::new();
        look.set_line_terminator(line_terminator);
        let config = thompson::Config::new()
            .utf8(false)
            .shrink(false)
            .look_matcher(look);
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(hir)
            .ok()?;
        let config = dfa::Config::new()
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .skip_cache_capacity_check(true)
            .cache_capacity(CACHE_BYTES_MAX);
        let dfa = dfa::Builder::new()
            .configure(config)
            .build_from_nfa(nfa.clone())
            .ok()?;
        let config = pikevm::Config::new().match_kind(MatchKind::All);
        let vm = pikevm::Builder::new()
            .configure(config)
            .build_from_nfa(nfa)
            .ok()?;
        Some(Self {
            dfa_cache: Mutex::new(dfa.create_cache()),
            dfa,
            vm_cache: Mutex::new(vm.create_cache()),
            vm,
        })
    }

    /// Returns the end of the longest match that begins at `start`.
    fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        let input = input(text, start).anchored(Anchored::Yes);
        let mut cache = self
            .dfa_cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The lazy automaton gives up at non-ASCII text beside Unicode word boundaries.
        match self.dfa.try_search_fwd(&mut cache, &input) {
            Ok(found) => found.map(|found| found.offset()),
            Err(_) => {
                let mut slots = [None, None];
                self.slots(text, start, &mut slots);
                slots.last().copied().flatten().map(NonMaxUsize::get)
            }
        }
    }

    /// Finds the groups of the longest match that begins at `start`.
    fn slots(&self, text: &[u8], start: usize, slots: &mut [Option<NonMaxUsize>]) {
        let input = input(text, start).anchored(Anchored::Yes);
        let mut cache = self.vm_cache.lock().unwrap_or_else(PoisonError::into_inner);
        self.vm.search_slots(&mut cache, &input, slots);
    }
}

//! The one engine configuration of the project.
//!
//! Machine code made by one engine loads in another only if their tunables agree, so every engine, the one that runs
//! guests and the one that compiles in a child process, is built here from the same `tunables`. The running engine
//! takes instances from a pool; the compiling one does not, because a pool reserves terabytes of address space and the
//! child lives under an address-space limit.

use std::hash::{Hash, Hasher};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Address space of each linear memory, in bytes: all that a 32-bit guest can address, so that its code needs no bounds checks.
pub const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;

/// Unmapped bytes after each linear memory, which catch accesses with a constant offset.
const MEMORY_GUARD_BYTES: u64 = 32 << 20;

/// Native stack that guest code may use, in bytes; deeper recursion is a limit hit. Interpreters compiled to Wasm recurse deeply.
const WASM_STACK_BYTES: usize = 32 << 20;

/// Native stack of a guest including the host functions it calls, in bytes. The difference to `WASM_STACK_BYTES` is the host's.
const FIBER_STACK_BYTES: usize = 34 << 20;

/// Core instances in the pool for each component instance: a component is usually several modules linked together.
const CORE_INSTANCES_PER_INSTANCE: u32 = 8;

/// Linear memories in the pool for each component instance.
const MEMORIES_PER_INSTANCE: u32 = 2;

/// Tables in the pool for each component instance.
const TABLES_PER_INSTANCE: u32 = 4;

/// Entries that one pooled table can hold; a large program has tens of thousands of functions behind pointers.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bytes of a core instance's own bookkeeping, which grows with its number of functions and globals.
const CORE_INSTANCE_BYTES_MAX: usize = 4 << 20;

/// Bytes of a memory and of a table that are cleared in place instead of being given back to the kernel after use.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Returns the settings that decide what machine code looks like and how it behaves.
fn tunables() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        // The pool holds garbage-collected heaps in the same slots as memories, so both must look alike.
        .gc_heap_reservation(MEMORY_RESERVATION_BYTES)
        .gc_heap_guard_size(MEMORY_GUARD_BYTES)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES);
    config
}

/// Returns an engine that runs at most `instances_max` component instances at once.
///
/// With 0 there is no pool and no bound of the engine's: for a process that runs a few instances and ends, a pool takes
/// longer to make than it saves. Where the address space is too small for the pool, the engine allocates on demand and
/// says so in the log.
pub fn running(instances_max: u32) -> wasmtime::Result<Engine> {
    if instances_max == 0 {
        return compiling();
    }
    let mut config = tunables();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances_max)));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(
                instances_max,
                error = format!("{error:#}"),
                "no address space for the instance pool; instances are allocated on demand"
            );
            compiling()
        }
    }
}

/// Returns an engine for compiling, which reserves no address space; what it compiles loads in [`running`]'s engine.
pub fn compiling() -> wasmtime::Result<Engine> {
    let mut config = tunables();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

fn pool(instances_max: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let memories = instances_max.saturating_mul(MEMORIES_PER_INSTANCE);
    pool.total_component_instances(instances_max)
        .total_core_instances(instances_max.saturating_mul(CORE_INSTANCES_PER_INSTANCE))
        .total_memories(memories)
        .total_tables(instances_max.saturating_mul(TABLES_PER_INSTANCE))
        .total_gc_heaps(instances_max)
        .total_stacks(memories)
        .max_memory_size(usize::try_from(MEMORY_RESERVATION_BYTES).unwrap_or(usize::MAX))
        .max_tables_per_module(4)
        .max_memories_per_module(2)
        .max_core_instance_size(CORE_INSTANCE_BYTES_MAX)
        .max_component_instance_size(CORE_INSTANCE_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_BYTES);
    pool
}

/// Returns a digest of everything about `engine` that its machine code depends on: version, target, processor features, tunables.
pub fn fingerprint(engine: &Engine) -> [u8; 32] {
    let mut hasher = Digest(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    *hasher.0.finalize().as_bytes()
}

/// Collects what a `Hash` implementation feeds it into a digest that is the same in every process.
struct Digest(blake3::Hasher);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.finalize();
        digest
            .as_bytes()
            .first_chunk::<8>()
            .map_or(0, |first| u64::from_le_bytes(*first))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_engine_makes_the_same_machine_code() {
        let running = running(1_000).unwrap();
        assert!(
            running.pooling_allocator_metrics().is_some(),
            "the default pool fits into the address space"
        );
        assert_eq!(fingerprint(&running), fingerprint(&compiling().unwrap()));

        let too_many = 40_000; // more gigabytes of address space than a processor has
        let fallback = super::running(too_many).unwrap();
        assert!(fallback.pooling_allocator_metrics().is_none());

        let mut other = tunables();
        other.epoch_interruption(false);
        let other = Engine::new(&other).unwrap();
        assert_ne!(fingerprint(&running), fingerprint(&other));
    }
}

//! What a verification names.

use super::*;
use crate::store::Place;

/// A session with rows, a pack of whole objects and pieces, and a later event that needs the same.
fn world() -> (World, SessionId) {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    world.write(&a, &work, &[(1, 100), (2, 100_000), (3, 900_000)]);
    world.write(&a, &work, &[(1, 100), (2, 100_000), (3, 900_000), (4, 100)]);
    (world, a)
}

fn flip(path: &Path, at: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at as usize] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Checks that exactly these objects are named, each as needed first by an event.
fn check(world: &World, expected: &[(Hash, Option<u64>)], word: &str) {
    let report = world.verify();
    let mut expected = expected.to_vec();
    expected.sort();
    let found: Vec<_> = report
        .problems
        .iter()
        .map(|(hash, problem)| (*hash, problem.needed_by.as_ref().map(|need| need.event)))
        .collect();
    assert_eq!(found, expected);
    for (hash, problem) in &report.problems {
        let reason = &problem.reason;
        assert!(
            reason.contains(&hash.to_string()) && reason.contains(word),
            "{reason}"
        );
        if let Some(need) = &problem.needed_by {
            assert_eq!(need.session_id.as_ref().unwrap().as_str(), "sesn_a");
        }
    }
}

#[test]
fn a_whole_store_is_counted() {
    let (world, _) = world();
    let orphan = {
        let _within = world.runtime.enter();
        let mut batch = world.content.batch();
        batch.put(Bytes::from_static(b"orphan")).unwrap();
        batch.finish().unwrap()
    };
    world
        .block(world.index().add_objects(orphan.objects.clone()))
        .unwrap();
    std::fs::create_dir_all(world.folder.path().join("packs/ay")).unwrap();
    std::fs::write(world.folder.path().join("packs/ay/pack_stray"), "x").unwrap();
    let mut steps = Vec::new();
    let report = world
        .block(verify(&world.cold(), |step| steps.push(step)))
        .unwrap();
    assert!(report.is_whole());
    assert_eq!((report.sessions, report.roots), (1, 4));
    assert_eq!(report.objects, world.objects());
    assert_eq!((report.orphans, report.orphan_bytes), (1, 7));
    assert_eq!((report.packs, report.strays), (1, 1));
    assert!(report.pack_bytes > 900_000 && report.bytes > report.pack_bytes);
    assert_eq!(
        report.row_bytes,
        world.block(world.index().row_bytes()).unwrap()
    );
    assert_eq!(steps, [Step::Roots(4), Step::Objects(report.objects)]);
}

#[test]
fn a_flipped_byte_of_a_pack_is_named() {
    let (world, _) = world();
    let content = Hash::of(&noise(2, 100_000));
    let place = world
        .block(world.index().places(&[content]))
        .unwrap()
        .remove(0);
    let Some(Place::Pack { start, .. }) = place else {
        panic!("{place:?}");
    };
    flip(&world.pack_files()[0], start + 77);
    check(&world, &[(content, Some(1))], "damaged");
}

#[test]
fn a_flipped_byte_of_a_row_is_named() {
    let (world, a) = world();
    let db = rusqlite::Connection::open(world.folder.path().join("test.db")).unwrap();
    let flip = |hash: Hash| {
        let (id, mut bytes): (i64, Vec<u8>) = db
            .query_row(
                "SELECT id, content FROM objects JOIN object_rows ON object = id WHERE hash = ?1",
                [hash.0],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let change = "UPDATE object_rows SET content = ?2 WHERE object = ?1";
        db.execute(change, rusqlite::params![id, bytes]).unwrap();
    };
    let content = Hash::of(&noise(4, 100));
    flip(content);
    check(&world, &[(content, Some(2))], "damaged");
    // What nothing needs is named too.
    let shell = world.files(&a, 1).unwrap().shell.unwrap();
    world.delete(&a);
    check(&world, &[(content, None)], "damaged");
    flip(shell);
    check(&world, &[(content, None), (shell, None)], "damaged");
}

#[test]
fn a_list_that_is_gone_is_named_and_what_it_led_to_is_not() {
    let (world, a) = world();
    let root = world.files(&a, 2).unwrap().root;
    let db = rusqlite::Connection::open(world.folder.path().join("test.db")).unwrap();
    db.execute("DELETE FROM objects WHERE hash = ?1", [root.0])
        .unwrap();
    check(&world, &[(root, Some(2))], "missing");
}

#[test]
fn a_pack_that_is_gone_is_named_with_each_object_in_it() {
    let (world, _) = world();
    let listed = world.block(world.index().objects(0, ROWS_MAX)).unwrap();
    let lost: Vec<_> = listed
        .iter()
        .filter(|listed| listed.pack.is_some())
        .map(|listed| (listed.hash, Some(1)))
        .collect();
    assert!(lost.len() > 3);
    let [file] = world.pack_files().try_into().unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    check(&world, &lost, name);
    // One that is cut off has what is before the cut.
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    let report = world.verify();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    std::fs::write(&file, &whole).unwrap();
    check(&world, &[], "");
}

#[test]
fn content_that_is_needed_and_not_stored_is_named() {
    let (world, _) = world();
    let content = Hash::of(&noise(1, 100));
    let db = rusqlite::Connection::open(world.folder.path().join("test.db")).unwrap();
    db.execute("DELETE FROM objects WHERE hash = ?1", [content.0])
        .unwrap();
    check(&world, &[(content, Some(1))], "missing");
}

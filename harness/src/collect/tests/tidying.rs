//! Packs and rows.

use super::*;

#[test]
fn hollow_packs_and_old_rows_are_written_anew() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    let b = world.create("b", None).unwrap();
    world.write(&a, &work, &[(1, 100_000), (2, 100_000), (3, 100_000)]);
    // Found in the pack of the other session.
    world.write(&b, &work, &[(1, 100_000), (4, 5_000), (5, 100_000)]);
    let kept = listed(&work);
    let before = world.pack_files();
    assert_eq!(before.len(), 2);
    world.delete(&a);
    let done = world.collect(&PLAIN).unwrap();
    assert_eq!((done.moved, done.packs_removed), (1, 1));
    let after = world.pack_files();
    assert!(after.len() == 2 && after != before, "{after:?}");
    assert_eq!(world.read(&b, 1), kept);
    // Half of the rows' bound is not reached by what is oldest alone.
    let rows = world.block(world.index().row_bytes()).unwrap();
    assert!(rows > 5_000, "{rows}");
    let rules = Rules {
        row_bytes_max: rows - 1,
        ..PLAIN
    };
    let done = world.collect(&rules).unwrap();
    assert!(done.moved >= 1 && done.packs_removed == 0, "{done:?}");
    let left = world.block(world.index().row_bytes()).unwrap();
    assert!(left <= rows / 4 * 3, "{left} of {rows}");
    world.collect(&EAGER).unwrap();
    assert_eq!(world.block(world.index().row_bytes()).unwrap(), 0);
    assert_eq!(world.read(&b, 1), kept);
    let report = world.verify();
    assert!(report.is_whole() && report.orphans == 0 && report.row_bytes == 0);
}

#[test]
fn many_small_packs_become_one() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    for n in 0..70 {
        world.write(&a, &work, &[(n, 70_000)]);
    }
    assert_eq!(world.pack_files().len(), 70);
    let done = world.collect(&PLAIN).unwrap();
    assert_eq!((done.moved, done.packs_removed), (70, 70));
    assert_eq!(world.pack_files().len(), 1);
    assert_eq!(world.read(&a, 7).get("file 0").unwrap(), &noise(6, 70_000));
    assert_eq!(world.collect(&PLAIN).unwrap(), Collected::default());
}

#[test]
fn a_damaged_object_stays_where_it_is() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    world.write(
        &a,
        &work,
        &[(1, 100_000), (2, 100_000), (3, 100_000), (4, 100_000)],
    );
    let [file] = world.pack_files().try_into().unwrap();
    let b = world.create("b", None).unwrap();
    world.write(&b, &work, &[(1, 100_000), (2, 5)]);
    world.delete(&a);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 1);
    std::fs::write(&file, bytes).unwrap();
    let done = world.collect(&PLAIN).unwrap();
    assert_eq!((done.moved, done.packs_removed), (0, 0));
    assert_eq!(world.pack_files(), [file]);
}

#[test]
fn files_of_nobody_go_when_they_are_old() {
    let world = World::new();
    let work = world.work();
    let a = world.create("a", None).unwrap();
    world.write(&a, &work, &[(1, 100_000)]);
    let known = world.pack_files();
    let stray = known[0].with_file_name("pack_stray");
    let shard = world.folder.path().join("packs/ay");
    std::fs::create_dir_all(&shard).unwrap();
    let strays = [shard.join("pack_stray"), shard.join("somebody's"), stray];
    for stray in &strays {
        std::fs::write(stray, "x").unwrap();
    }
    let rules = Rules {
        grace: Duration::from_secs(3_600),
        ..PLAIN
    };
    let now = Timestamp::now();
    let at = |hours: u64| now.checked_add(Duration::from_secs(hours * 3_600)).unwrap();
    let young = world.block(collect(&world.content, &rules, now)).unwrap();
    assert_eq!(young, Collected::default());
    // A pack that is written and not committed yet is under way, however old.
    let under_way = {
        let _within = world.runtime.enter();
        let mut batch = world.content.batch();
        batch.put(noise(7, 100_000).into()).unwrap();
        batch.finish().unwrap()
    };
    let old = world.block(collect(&world.content, &rules, at(2))).unwrap();
    assert_eq!(old.strays_removed, 1);
    let exist = strays.each_ref().map(|stray| stray.exists());
    // One has no pack's name, one lies where no pack of its name would.
    assert_eq!(exist, [false, true, true]);
    assert_eq!(world.pack_files().len(), 4);
    drop(under_way);
    let old = world.block(collect(&world.content, &rules, at(2))).unwrap();
    assert_eq!(old.strays_removed, 1);
    assert_eq!(world.read(&a, 1).len(), 1);
}

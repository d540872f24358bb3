//! Files in a database that is full, and the totals that are kept beside them.

use bytes::Bytes;

use super::*;

/// Returns an append of one event with files whose only object has this content.
pub(super) fn append(session_id: &SessionId, expected: u64, content: &str) -> Append {
    let content = Bytes::from(content.to_owned());
    let hash = Hash::of(&content);
    let change = FilesChange {
        files: Files {
            root: hash,
            digest: hash,
            shell: None,
        },
        also: Vec::new(),
        objects: NewObjects {
            rows: vec![(hash, content)],
            ..NewObjects::default()
        },
    };
    Append {
        files: Some(Box::new(change)),
        ..super::append(session_id, expected, vec![event("x", "x")])
    }
}

#[tokio::test]
async fn a_full_disk_takes_no_part_of_an_append_with_files() {
    let fixture = Fixture::with(|options| options.bytes_max = Some(2 << 20));
    let store = &fixture.store;
    let ids = [fixture.session("a").await, fixture.session("b").await];
    let content = |id: &SessionId, number| format!("{id} {number} ").repeat(5_000);
    // Both fill it at the same time, each until it is refused.
    let fill = |id: SessionId| async move {
        for number in 0.. {
            let append = append(&id, number, &content(&id, number));
            match store.append(append).await {
                Ok(_) => {}
                Err(StoreError::Full) => return number,
                Err(error) => panic!("{error:?}"),
            }
        }
        unreachable!("the store never filled up")
    };
    let last = futures::future::join_all(ids.iter().cloned().map(fill)).await;
    assert!(last.iter().sum::<u64>() > 20, "{last:?}");
    let mut bytes = 0;
    for (id, last) in ids.iter().zip(&last) {
        let content = |number| content(id, number);
        let hash = |number| Hash::of(content(number).as_bytes());
        assert_eq!(store.last_number(id).await.unwrap(), *last);
        let newest = store.files_at(id, u64::MAX).await.unwrap().unwrap();
        assert_eq!(newest.root, hash(last - 1));
        let hashes: Vec<Hash> = (0..=*last).map(hash).collect();
        let places = store.places(&hashes).await.unwrap();
        assert!(places[..*last as usize].iter().all(Option::is_some));
        assert!(places[*last as usize].is_none(), "an object was left");
        bytes += (0..*last)
            .map(|number| content(number).len() as u64)
            .sum::<u64>();
    }
    assert_eq!(store.row_bytes().await.unwrap(), bytes);
    let roots = store.roots(0, ROWS_MAX).await.unwrap();
    assert_eq!(roots.len() as u64, last.iter().sum::<u64>());
}

/// What is kept with every write must be what counting finds.
#[tokio::test]
async fn the_kept_totals_are_true() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let hash = |n: usize| Hash::of(&n.to_le_bytes());
    let pack = |name: usize, members: std::ops::Range<usize>| NewPack {
        name: name.to_string(),
        bytes: 1_000,
        parts: members
            .map(|n| (hash(n), 10 * (n as u64 % 10), n as u32 % 7))
            .collect(),
    };
    for round in 0..20 {
        let start = round * 13 % 50;
        let rows = (start..start + 30).step_by(3);
        let new = NewObjects {
            rows: rows.map(|n| (hash(n), Bytes::from(vec![0; n]))).collect(),
            pack: Some(pack(2 * round, start + 5..start + 25)),
            kept: Vec::new(),
        };
        store.add_objects(new).await.unwrap();
        let moved = pack(2 * round + 1, start + 10..start + 40);
        store.move_objects(moved).await.unwrap();
        let token = store.begin_collection().await.unwrap();
        let gone: Vec<Hash> = (start..start + 20).step_by(2).map(hash).collect();
        store.remove_objects(token, &gone).await.unwrap();
    }
    let db = schema::open_reader(&fixture.path()).unwrap();
    let count = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert!(count("SELECT count(*) FROM objects") > 20);
    for wrong in [
        "SELECT count(*) FROM packs p WHERE live_bytes <> \
           (SELECT total(length) FROM objects o WHERE o.pack = p.id) \
           OR live_parts <> (SELECT count(*) FROM objects o WHERE o.pack = p.id)",
        "SELECT count(*) FROM object_totals WHERE row_bytes <> \
           (SELECT total(length) FROM objects WHERE pack IS NULL)",
        "SELECT count(*) FROM objects o LEFT JOIN object_rows r ON r.object = o.id \
           WHERE (pack IS NULL) <> (object IS NOT NULL) OR length(content) <> length",
        "SELECT count(*) FROM object_rows WHERE object NOT IN (SELECT id FROM objects)",
    ] {
        assert_eq!(count(wrong), 0, "{wrong}");
    }
}

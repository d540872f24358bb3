//! Objects: storing and finding them, as rows and in packs.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;

use super::{gone, invalid, object, pack, refused, rows};
use crate::store::{
    Hash, Listed, NewObjects, NewPack, Pack, Place, ROW_BYTES_MAX, ROWS_MAX, SharedStore,
    StoreError,
};

/// Returns where one object is.
pub(super) async fn place(store: &SharedStore, name: &str) -> Result<Option<Place>> {
    let mut places = store.files().places(&[Hash::of(name.as_bytes())]).await?;
    ensure!(places.len() == 1, "one hash has {} places", places.len());
    Ok(places.pop().flatten())
}

/// Returns the live bytes of a pack, none if it is not known.
async fn live(store: &SharedStore, name: &str) -> Result<Option<u64>> {
    let packs = store.files().packs(None, 100).await?;
    Ok(packs
        .into_iter()
        .find(|pack| pack.name == name)
        .map(|pack| pack.live_bytes))
}

pub(super) async fn objects_are_found_where_they_were_stored(store: SharedStore) -> Result<()> {
    let files = store.files();
    let name = files.name().await?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure!(
        name.len() >= 16 && is_plain && files.name().await? == name,
        "{name}"
    );
    ensure!(files.places(&[]).await?.is_empty());
    ensure!(place(&store, "a").await?.is_none());
    files.add_objects(NewObjects::default()).await?;
    files.add_objects(rows(&["a", "", "b"])).await?;
    files
        .add_objects(NewObjects {
            rows: rows(&["a", "d"]).rows,
            pack: Some(pack("p", &["a", "c", "cc", "c"])),
            kept: vec![Hash::of(b"a"), Hash::of(b"c"), Hash::of(b"d")],
        })
        .await?;
    let names = ["c", "none", "a", "", "cc", "d", "a"];
    let hashes = names.map(|name| Hash::of(name.as_bytes()));
    let row = |text: &'static str| Some(Place::Row(Bytes::from_static(text.as_bytes())));
    let part = |start, length| {
        Some(Place::Pack {
            name: "p".to_owned(),
            start,
            length,
        })
    };
    let places = files.places(&hashes).await?;
    let expected = [
        part(1, 1),
        None,
        row("a"),
        row(""),
        part(2, 2),
        row("d"),
        row("a"),
    ];
    ensure!(places == expected, "{places:?}");
    ensure!(
        files.row_bytes().await? == 3,
        "{}",
        files.row_bytes().await?
    );
    // A row of the same name and another form, e.g. another compression, changes nothing.
    let other = NewObjects {
        rows: vec![
            (Hash::of(b"a"), Bytes::from_static(b"other")),
            (Hash::of(b"c"), Bytes::from_static(b"other")),
        ],
        ..NewObjects::default()
    };
    files.add_objects(other).await?;
    ensure!(files.places(&hashes).await? == expected);
    // Of the parts one was elsewhere, and one was named twice.
    ensure!(live(&store, "p").await? == Some(3));
    let largest = vec![7; ROW_BYTES_MAX];
    let hash = Hash::of(&largest);
    let new = NewObjects {
        rows: vec![(hash, Bytes::from(largest.clone()))],
        ..NewObjects::default()
    };
    files.add_objects(new).await?;
    ensure!(files.places(&[hash]).await? == [Some(Place::Row(Bytes::from(largest)))]);
    ensure!(files.places(&[hash; ROWS_MAX]).await?.len() == ROWS_MAX);
    invalid(files.places(&[hash; ROWS_MAX + 1]).await)
}

pub(super) async fn unusable_objects_are_refused_whole(store: SharedStore) -> Result<()> {
    let files = store.files();
    files
        .add_objects(NewObjects {
            pack: Some(pack("p", &["a"])),
            ..rows(&["b"])
        })
        .await?;
    // Everything is wrong at first; each step puts one thing right.
    let mut wrong = NewObjects {
        rows: rows(&["new"]).rows,
        pack: Some(pack("p", &["new part"])),
        kept: vec![Hash::of(b"b"), Hash::of(b"none")],
    };
    let large = Bytes::from(vec![0; ROW_BYTES_MAX + 1]);
    wrong.rows.push((Hash::of(&large), large));
    invalid(files.add_objects(wrong.clone()).await)?;
    wrong.rows.pop();
    let beyond = NewPack {
        bytes: 1,
        ..pack("p", &["new part"])
    };
    let fits = wrong.pack.replace(beyond);
    invalid(files.add_objects(wrong.clone()).await)?;
    let endless = NewPack {
        parts: vec![(Hash::of(b"new part"), u64::MAX, 1)],
        ..pack("p", &["new part"])
    };
    wrong.pack = Some(endless);
    invalid(files.add_objects(wrong.clone()).await)?;
    wrong.pack = fits;
    let exists = |e: &StoreError| matches!(e, StoreError::AlreadyExists);
    refused(
        files.add_objects(wrong.clone()).await,
        "AlreadyExists",
        exists,
    )?;
    wrong.pack = Some(pack("q", &["new part"]));
    gone(files.add_objects(wrong.clone()).await, "none")?;
    for name in ["new", "new part"] {
        ensure!(place(&store, name).await?.is_none(), "{name} was stored");
    }
    ensure!(files.row_bytes().await? == 1 && files.packs(None, 9).await?.len() == 1);
    wrong.kept.pop();
    files.add_objects(wrong).await?;
    refused(
        files.move_objects(pack("q", &["a"])).await,
        "AlreadyExists",
        exists,
    )?;
    Ok(())
}

pub(super) async fn lists_of_objects_reach_everything_once(store: SharedStore) -> Result<()> {
    let files = store.files();
    let names: Vec<String> = (0..ROWS_MAX + 5).map(|n| format!("row {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts: Vec<String> = (0..7).map(|n| format!("part {n}")).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    for (pack_name, part) in ["p3", "p1", "p2", "p0", "p5", "p4", "p6"]
        .iter()
        .zip(&parts)
    {
        let new = NewObjects {
            pack: Some(pack(pack_name, &[part])),
            ..NewObjects::default()
        };
        files.add_objects(new).await?;
    }
    files.add_objects(rows(&names)).await?;
    ensure!(files.objects(0, usize::MAX).await?.len() == ROWS_MAX);
    let mut found: Vec<Listed> = Vec::new();
    loop {
        let after = found.last().map_or(0, |listed| listed.position);
        let page = files.objects(after, 100).await?;
        ensure!(page.iter().all(|listed| listed.position > after));
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let mut hashes: Vec<Hash> = found.iter().map(|listed| listed.hash).collect();
    let mut expected: Vec<Hash> = names.iter().chain(&parts).map(|n| object(n).0).collect();
    hashes.sort();
    expected.sort();
    ensure!(hashes == expected, "{} objects were listed", hashes.len());
    let part = found.iter().find(|l| l.hash == Hash::of(b"part 2"));
    let part = part.context("a part is not listed")?;
    ensure!(part.length == 6 && part.pack.as_deref() == Some("p2"));
    let row = found.iter().find(|l| l.hash == Hash::of(b"row 7"));
    ensure!(row.is_some_and(|row| row.length == 5 && row.pack.is_none()));

    let mut packs: Vec<Pack> = Vec::new();
    loop {
        let after = packs.last().map(|pack| pack.name.clone());
        let page = files.packs(after.as_deref(), 3).await?;
        if page.is_empty() {
            break;
        }
        packs.extend(page);
    }
    let names: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
    ensure!(names == ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    ensure!(packs.iter().all(|p| p.bytes == 6 && p.live_bytes == 6));
    Ok(())
}

pub(super) async fn a_pack_is_forgotten_without_live_parts(store: SharedStore) -> Result<()> {
    let files = store.files();
    let new = NewObjects {
        pack: Some(pack("p", &["a", "bb", ""])),
        ..NewObjects::default()
    };
    files.add_objects(new).await?;
    let token = files.begin_collection().await?;
    for (name, left) in [("a", 2), ("bb", 0), ("", 0)] {
        ensure!(
            !files.forget_pack("p").await?,
            "forgotten with {name:?} in it"
        );
        let removed = files
            .remove_objects(token, &[Hash::of(name.as_bytes())])
            .await?;
        ensure!(removed == 1 && live(&store, "p").await? == Some(left));
    }
    ensure!(files.forget_pack("p").await?);
    ensure!(files.packs(None, 10).await?.is_empty());
    ensure!(files.forget_pack("p").await?, "nothing is in it");
    // A pack whose parts were all elsewhere is known all the same, so that somebody removes its file.
    let mut new = rows(&["a"]);
    new.pack = Some(pack("q", &[]));
    files.add_objects(new.clone()).await?;
    new.pack = Some(pack("r", &["a"]));
    files.add_objects(new).await?;
    ensure!(live(&store, "q").await? == Some(0) && live(&store, "r").await? == Some(0));
    ensure!(files.forget_pack("q").await? && files.forget_pack("r").await?);
    ensure!(matches!(place(&store, "a").await?, Some(Place::Row(_))));
    Ok(())
}

pub(super) async fn objects_move_into_packs_and_stay_found(store: SharedStore) -> Result<()> {
    let files = store.files();
    let mut new = rows(&["a", "row"]);
    new.pack = Some(pack("p", &["bb", "stays"]));
    files.add_objects(new).await?;
    ensure!(files.row_bytes().await? == 4);
    // "none" is not stored (any more), and its part stays unused.
    let moved = NewPack {
        bytes: 100,
        parts: vec![
            (Hash::of(b"none"), 0, 4),
            (Hash::of(b"a"), 4, 10),
            (Hash::of(b"bb"), 14, 20),
        ],
        ..pack("q", &[])
    };
    files.move_objects(moved).await?;
    let part = |pack: &str, start, length| {
        Some(Place::Pack {
            name: pack.to_owned(),
            start,
            length,
        })
    };
    ensure!(place(&store, "a").await? == part("q", 4, 10));
    ensure!(place(&store, "bb").await? == part("q", 14, 20));
    ensure!(place(&store, "stays").await? == part("p", 2, 5));
    ensure!(matches!(place(&store, "row").await?, Some(Place::Row(_))));
    ensure!(place(&store, "none").await?.is_none());
    ensure!(files.row_bytes().await? == 3);
    ensure!(live(&store, "p").await? == Some(5) && live(&store, "q").await? == Some(30));

    files.move_objects(pack("r", &["a", "bb", "stays"])).await?;
    ensure!(place(&store, "stays").await? == part("r", 3, 5));
    ensure!(files.forget_pack("p").await? && files.forget_pack("q").await?);
    ensure!(live(&store, "r").await? == Some(8));
    let beyond = NewPack {
        bytes: 2,
        ..pack("s", &["row"])
    };
    invalid(files.move_objects(beyond).await)?;
    // Moving is no need: what nobody kept goes.
    let token = files.begin_collection().await?;
    files.move_objects(pack("s", &["a"])).await?;
    ensure!(files.remove_objects(token, &[Hash::of(b"a")]).await? == 1);
    ensure!(live(&store, "s").await? == Some(0));
    Ok(())
}

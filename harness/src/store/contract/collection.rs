//! Collecting garbage while sessions work.

use anyhow::{Result, ensure};

use super::objects::place;
use super::{
    also, append_files, event, files, invalid, key, new_session, object, pack, roots, rows,
    session_id,
};
use crate::store::{FilesChange, Hash, Kind, NewObjects, Place, ROWS_MAX, Root, SharedStore};

/// Removes what was not touched since `token` and returns what is left of `names`.
async fn sweep<'a>(store: &SharedStore, token: i64, names: &[&'a str]) -> Result<Vec<&'a str>> {
    let hashes: Vec<Hash> = names.iter().map(|name| object(name).0).collect();
    let removed = store.files().remove_objects(token, &hashes).await?;
    let places = store.files().places(&hashes).await?;
    let left = names.iter().zip(places);
    let left: Vec<&str> = left
        .filter_map(|(name, place)| place.map(|_| *name))
        .collect();
    ensure!(
        removed + left.len() == names.len(),
        "{removed} were removed"
    );
    Ok(left)
}

pub(super) async fn what_is_touched_survives_a_collection(store: SharedStore) -> Result<()> {
    let objects = store.files();
    let id = new_session(&store, "a").await?;
    let old = [
        "root",
        "shell",
        "also",
        "kept",
        "again",
        "part",
        "part again",
        "old",
        "old part",
    ];
    let mut new = rows(&["root", "shell", "also", "kept", "again", "old"]);
    new.pack = Some(pack("p", &["part", "part again", "old part"]));
    objects.add_objects(new).await?;

    let first = objects.begin_collection().await?;
    ensure!(objects.roots(0, 10).await?.is_empty());
    // Everything by which an object can be needed, each for another one.
    let change = FilesChange {
        also: vec![also("also", true)],
        objects: NewObjects {
            rows: rows(&["again", "new"]).rows,
            pack: Some(pack("q", &["part again", "new part"])),
            kept: vec![Hash::of(b"kept"), Hash::of(b"part")],
        },
        ..files("root", Some("shell"))
    };
    store
        .append(append_files(&id, 0, vec![event("x", 1)], change))
        .await?;
    let left = sweep(&store, first, &old).await?;
    ensure!(left.len() == 7 && !left.contains(&"old") && !left.contains(&"old part"));
    ensure!(sweep(&store, first, &["new", "new part"]).await?.len() == 2);
    let stays = |place| matches!(place, Some(Place::Pack { name, .. }) if name == "p");
    ensure!(
        stays(place(&store, "part again").await?),
        "a part moved by itself"
    );

    // The next one sees the roots, and removes whatever else nobody asks for.
    let second = objects.begin_collection().await?;
    ensure!(second > first);
    let mut expected = ["root", "shell", "also"].map(|name| Hash::of(name.as_bytes()));
    expected.sort();
    ensure!(roots(&store).await? == expected);
    let rooted = objects.roots(0, 10).await?;
    ensure!(rooted.iter().all(|rooted| rooted.number == 1));
    ensure!(
        rooted
            .iter()
            .all(|rooted| rooted.session_id.as_ref() == Some(&id))
    );
    let rooted: Vec<Root> = rooted.iter().map(|rooted| rooted.root).collect();
    ensure!(rooted == [also("root", true), also("shell", false), also("also", true)]);
    objects
        .add_objects(NewObjects {
            kept: vec![Hash::of(b"kept")],
            ..NewObjects::default()
        })
        .await?;
    let unmet = ["kept", "again", "part", "part again", "new", "new part"];
    // The first collection may still be at it; it removes less than the second.
    ensure!(sweep(&store, first, &unmet).await?.len() == unmet.len());
    ensure!(sweep(&store, second, &unmet).await? == ["kept"]);
    ensure!(objects.row_bytes().await? == 17);
    ensure!(objects.forget_pack("p").await? && objects.forget_pack("q").await?);
    // What was removed can be stored again.
    objects.add_objects(rows(&["again"])).await?;
    ensure!(sweep(&store, second, &["again"]).await? == ["again"]);
    let many = vec![Hash::of(b"none"); ROWS_MAX];
    ensure!(objects.remove_objects(second, &many).await? == 0);
    invalid(
        objects
            .remove_objects(second, &[&many[..], &many[..]].concat())
            .await,
    )
}

pub(super) async fn roots_go_with_their_sessions(store: SharedStore) -> Result<()> {
    let objects = store.files();
    let names = ["a", "b", "c"];
    objects.add_objects(rows(&["shell", "also"])).await?;
    for name in names {
        let id = new_session(&store, name).await?;
        for number in 0..10 {
            let root = format!("{name}{number}");
            let change = FilesChange {
                also: vec![also("also", false), also(&root, true)],
                objects: rows(&[&root]),
                ..files(&root, Some("shell"))
            };
            store
                .append(append_files(&id, number, vec![event("x", 1)], change))
                .await?;
        }
    }
    let expected = |names: &[&str]| {
        let of = |name: &&str| (0..10).map(|n| format!("{name}{n}")).collect::<Vec<_>>();
        let mut hashes: Vec<Hash> = names
            .iter()
            .flat_map(of)
            .chain(["shell".to_owned(), "also".to_owned()])
            .map(|name| Hash::of(name.as_bytes()))
            .collect();
        hashes.sort();
        hashes
    };
    ensure!(roots(&store).await? == expected(&names));
    let page = objects.roots(0, 5).await?;
    ensure!(page.len() == 5);
    store
        .delete(&key(Kind::Session, session_id("b").as_str()))
        .await?;
    ensure!(roots(&store).await? == expected(&["a", "c"]));
    for name in ["a", "c"] {
        store
            .delete(&key(Kind::Session, session_id(name).as_str()))
            .await?;
    }
    ensure!(objects.roots(0, 5).await?.is_empty());
    Ok(())
}

//! Verifies a log with the crates `tlog_tiles` and `signed_note`, which nobody here wrote: notes by
//! `Note::verify`, tiles by `TileHashReader`, proofs by `check_record` and `check_tree`. What is here
//! only finds files.
//!
//! Usage: log-verifier KEYFILE, then a folder a line on standard input; a line "ok …" or "no …" for
//! each.

use base64::prelude::*;
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use tlog_tiles::{
    Checkpoint, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_tree, record_hash, stored_hash_index,
};

type Verified<T> = Result<T, String>;

/// A `TileReader` over C2SP paths; the crate's own paths are the checksum database's.
struct Folder(PathBuf);

fn numbered(kind: &str, mut number: u64, width: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    while number >= 1000 {
        number /= 1000;
        path = format!("x{:03}/{path}", number % 1000);
    }
    if width < 256 {
        path = format!("{path}.p/{width}");
    }
    format!("tile/{kind}/{path}")
}

impl Folder {
    fn read(&self, name: &str) -> Verified<Vec<u8>> {
        std::fs::read(self.0.join(name)).map_err(|error| format!("{name}: {error}"))
    }

    fn entries(&self, size: u64) -> Verified<Vec<Vec<u8>>> {
        let mut entries = Vec::new();
        for number in 0..size.div_ceil(256) {
            let width = (size - number * 256).min(256);
            let data = self.read(&numbered("entries", number, width))?;
            let mut rest = data.as_slice();
            for _ in 0..width {
                let (length, after) = rest.split_first_chunk::<2>().ok_or("a bundle is cut")?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (entry, after) = after.split_at_checked(length).ok_or("a bundle is cut")?;
                entries.push(entry.to_vec());
                rest = after;
            }
            if !rest.is_empty() {
                return Err("a bundle has more than its entries".to_owned());
            }
        }
        Ok(entries)
    }
}

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            let width = u64::from(tile.width());
            let path = numbered(&tile.level().to_string(), tile.level_index(), width);
            let data = self.read(&path).map_err(|_| tlog_tiles::Error::InvalidTile)?;
            let whole = data.len() == tile.width() as usize * 32;
            whole.then_some(data).ok_or(tlog_tiles::Error::InvalidTile)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn checkpoint(data: &[u8], vkey: &str) -> Verified<Checkpoint> {
    let note = Note::from_bytes(data).map_err(told)?;
    let verifier = StandardVerifier::new(vkey).map_err(told)?;
    let origin = verifier.name().to_owned();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    note.verify(&known).map_err(told)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(told)?;
    if checkpoint.origin() == origin && checkpoint.extension().is_empty() {
        Ok(checkpoint)
    } else {
        Err("the checkpoint is another's".to_owned())
    }
}

fn proof_file(text: &str, vkey: &str, entries: &[Vec<u8>]) -> Verified<()> {
    let (head, signed) = text.split_once("\n\n").ok_or("the proof is malformed")?;
    let mut lines = head.split('\n');
    if lines.next() != Some("c2sp.org/tlog-proof@v1") {
        return Err("the proof is malformed".to_owned());
    }
    let index = lines.next().and_then(|line| line.strip_prefix("index "));
    let index: u64 = index.and_then(|text| text.parse().ok()).ok_or("the proof has no index")?;
    let entry = entries.get(index as usize).ok_or("the proof is of no entry")?;
    let hash = |line: &str| {
        let bytes = BASE64_STANDARD.decode(line).map_err(told)?;
        Ok(Hash(bytes.try_into().map_err(told)?))
    };
    let path = lines.map(hash).collect::<Verified<Vec<Hash>>>()?;
    let tree = checkpoint(signed.as_bytes(), vkey)?;
    check_record(&path, tree.size(), *tree.hash(), index, record_hash(entry)).map_err(told)
}

fn verify(folder: Folder, vkey: &str) -> Verified<u64> {
    let head = checkpoint(&folder.read("checkpoint")?, vkey)?;
    let size = head.size();
    let entries = folder.entries(size)?;
    // Every hash of every tile, each proved by the crate to be of this tree.
    let hashes = TileHashReader::new(size, *head.hash(), &folder);
    for level in (0..).take_while(|level| size >> (8 * level) > 0) {
        let indexes: Vec<u64> =
            (0..size >> (8 * level)).map(|n| stored_hash_index(8 * level as u8, n)).collect();
        let proved = hashes.read_hashes(&indexes).map_err(told)?;
        if level == 0 && !entries.iter().map(|entry| record_hash(entry)).eq(proved) {
            return Err("an entry is not the tree's".to_owned());
        }
    }
    let mut proofs = 0;
    for file in std::fs::read_dir(folder.0.join("proofs")).map_err(told)? {
        let text = std::fs::read_to_string(file.map_err(told)?.path()).map_err(told)?;
        proof_file(&text, vkey, &entries)?;
        proofs += 1;
    }
    if proofs == 0 {
        return Err("there are no proofs".to_owned());
    }
    let older = checkpoint(&folder.read("older")?, vkey)?;
    let grown = prove_tree(size, older.size(), &hashes).map_err(told)?;
    check_tree(&grown, size, *head.hash(), older.size(), *older.hash()).map_err(told)?;
    Ok(size)
}

fn main() {
    let key = std::env::args().nth(1).expect("the key's file");
    let key = std::fs::read_to_string(key).expect("the key's file");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a folder");
        match verify(Folder(Path::new(&line).to_owned()), key.trim()) {
            Ok(size) => println!("ok {size}"),
            Err(why) => println!("no {}", why.replace('\n', " ")),
        }
    }
}

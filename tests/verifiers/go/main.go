// Verifies a log with golang.org/x/mod/sumdb, which nobody here wrote: notes by note.Open, tiles by
// tlog.TileHashReader, proofs by tlog.CheckRecord and tlog.CheckTree. What is here only finds files.
//
// Usage: verifier KEYFILE, then a folder a line on standard input; a line "ok …" or "no …" for each.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder is a tlog.TileReader over C2SP paths; the library's own paths are the checksum database's.
type folder struct{ path string }

func numbered(kind string, n int64, w int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if w < 256 {
		path = fmt.Sprintf("%s.p/%d", path, w)
	}
	return "tile/" + kind + "/" + path
}

func (f folder) Height() int                          { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(f.path, numbered(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, errors.New("a tile has the wrong length")
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) entries(size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		w := size - n*256
		if w > 256 {
			w = 256
		}
		data, err := os.ReadFile(filepath.Join(f.path, numbered("entries", n, int(w))))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < w; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, errors.New("a bundle is cut")
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, errors.New("a bundle has more than its entries")
		}
	}
	return entries, nil
}

func checkpoint(text []byte, verifier note.Verifier) (tree tlog.Tree, err error) {
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, errors.New("the checkpoint is malformed")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func proofFile(text string, verifier note.Verifier, entries [][]byte) error {
	head, signed, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("the proof is malformed")
	}
	index, err := strconv.ParseInt(lines[1][len("index "):], 10, 64)
	if err != nil || index < 0 || index >= int64(len(entries)) {
		return errors.New("the proof is of no entry")
	}
	tree, err := checkpoint([]byte(signed), verifier)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return errors.New("the proof is malformed")
		}
		proof = append(proof, tlog.Hash(*(*[tlog.HashSize]byte)(hash)))
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index]))
}

func verify(path string, verifier note.Verifier) (int64, error) {
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, name)) }
	text, err := read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := checkpoint(text, verifier)
	if err != nil {
		return 0, err
	}
	// Every hash of every tile, each proved by the library to be of this tree.
	hashes := tlog.TileHashReader(tree, folder{path})
	for level := 0; tree.N>>(8*level) > 0; level++ {
		var indexes []int64
		for n := int64(0); n < tree.N>>(8*level); n++ {
			indexes = append(indexes, tlog.StoredHashIndex(8*level, n))
		}
		proved, err := hashes.ReadHashes(indexes)
		if err != nil {
			return 0, err
		}
		if level == 0 {
			entries, err := folder{path}.entries(tree.N)
			if err != nil {
				return 0, err
			}
			for n, entry := range entries {
				if tlog.RecordHash(entry) != proved[n] {
					return 0, fmt.Errorf("entry %d is not the tree's", n)
				}
			}
			if err := proofs(path, verifier, entries); err != nil {
				return 0, err
			}
		}
	}
	text, err = read("older")
	if err != nil {
		return 0, err
	}
	older, err := checkpoint(text, verifier)
	if err != nil {
		return 0, err
	}
	grown, err := tlog.ProveTree(tree.N, older.N, hashes)
	if err != nil {
		return 0, err
	}
	return tree.N, tlog.CheckTree(grown, tree.N, tree.Hash, older.N, older.Hash)
}

func proofs(path string, verifier note.Verifier, entries [][]byte) error {
	files, err := filepath.Glob(filepath.Join(path, "proofs", "*.tlog-proof"))
	if err != nil || len(files) == 0 {
		return errors.New("there are no proofs")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := proofFile(string(text), verifier, entries); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

func main() {
	key, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if size, err := verify(lines.Text(), verifier); err != nil {
			fmt.Printf("no %q\n", err.Error())
		} else {
			fmt.Printf("ok %d\n", size)
		}
	}
}

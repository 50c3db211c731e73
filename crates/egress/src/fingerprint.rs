use arrow::{array::RecordBatch, datatypes::Schema};
use terms::Digest;

/// A running digest over the logical values of a result: SHA-256 of `bonded result v3\n` and the 32 bytes of
/// BLAKE3 over them. Every value that leaves passes here, and BLAKE3 takes a third of SHA-256's time; what
/// stands on record is of one kind with all else that does. Source: C2SP BLAKE3, FIPS 180-4.
///
/// Shape of what BLAKE3 is over: the number of columns; for each column its name and its Arrow type; then batch by batch, as they leave (8,192 rows, or fewer where their texts reach 1 MiB: so values alone say
/// how the rows are cut), the number of rows, and for each column 0, or 1 and a bit for each row, set where
/// there is a value; and its buffers in Arrow's layout, each after its length: of fixed-width types the
/// values, of truth values a bit each, of texts the offsets (4 bytes) and the bytes. What is null has zeros
/// in its place. Numbers are little-endian, those of this format 8 bytes; floats are by their bits.
#[derive(Clone)]
pub(crate) struct Fingerprint(blake3::Hasher);

#[cfg(not(target_endian = "little"))]
compile_error!("digests are over buffers as they lie in memory, little-endian");

impl Fingerprint {
    /// Begins with the columns.
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.length(schema.fields().len());
        for field in schema.fields() {
            hash.bytes(field.name().as_bytes());
            hash.bytes(field.data_type().to_string().as_bytes());
        }
        hash
    }

    /// Goes on with the next batch, whose columns were rebuilt: nothing in their buffers is not theirs.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        self.length(batch.num_rows());
        for column in batch.columns() {
            let data = column.to_data();
            match data.nulls() {
                None => self.plain(&[0]),
                Some(nulls) => {
                    self.plain(&[1]);
                    let bits = nulls.buffer().as_slice();
                    self.plain(bits.get(..nulls.len().div_ceil(8)).unwrap_or(bits));
                }
            }
            for buffer in data.buffers() {
                self.bytes(buffer.as_slice());
            }
        }
    }

    /// The digest of all so far.
    pub(crate) fn digest(&self) -> Digest {
        let values = self.0.finalize();
        Digest::of(&[b"bonded result v3\n".as_slice(), values.as_bytes()].concat())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.plain(bytes);
    }

    fn length(&mut self, length: usize) {
        self.plain(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fingerprint({})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::{
        array::{ArrayRef, BooleanArray, Int64Array, StringArray},
        datatypes::{DataType, Field},
    };
    use std::sync::Arc;

    /// The bytes of a result as the type's documentation says them, written down by hand.
    #[test]
    fn a_digest_is_of_the_bytes_that_are_documented() {
        let fields = vec![
            Field::new("a", DataType::Int64, true),
            Field::new("名", DataType::Utf8, true),
            Field::new("b", DataType::Boolean, true),
        ];
        let schema = Arc::new(Schema::new(fields));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![None, Some(-2), Some(3)])),
            Arc::new(StringArray::from(vec![Some("ab"), None, Some("c")])),
            Arc::new(BooleanArray::from(vec![true, false, true])),
        ];
        let mut hash = Fingerprint::of(&schema);
        hash.push(&RecordBatch::try_new(schema, columns).unwrap());
        let length = |bytes: u64| bytes.to_le_bytes().to_vec();
        let bytes = [
            length(3),
            length(1),
            b"a".to_vec(),
            length(5),
            b"Int64".to_vec(),
            length(3),
            "名".into(),
            length(4),
            b"Utf8".to_vec(),
            length(1),
            b"b".to_vec(),
            length(7),
            b"Boolean".to_vec(),
            length(3),
            vec![1, 0b110],
            length(24),
            vec![0; 8],
            vec![0xfe, 255, 255, 255, 255, 255, 255, 255],
            length(3),
            vec![1, 0b101],
            length(16),
            [0_i32, 2, 2, 3]
                .iter()
                .flat_map(|n| n.to_le_bytes())
                .collect(),
            length(3),
            b"abc".to_vec(),
            vec![0],
            length(1),
            vec![0b101],
        ];
        let values = blake3::hash(&bytes.concat());
        let wanted = [b"bonded result v3\n".as_slice(), values.as_bytes()].concat();
        let wanted = Digest::of(&wanted);
        assert_eq!(hash.digest(), wanted);
        assert_eq!(format!("{hash:?}"), format!("Fingerprint({wanted})"));
    }

    #[test]
    fn texts_that_run_into_each_other_are_told_apart() {
        let digest = |texts: [&str; 2]| {
            let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
            let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
            let mut hash = Fingerprint::of(&batch.schema());
            hash.push(&batch);
            hash.digest()
        };
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}

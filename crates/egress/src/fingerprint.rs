use crate::value::Value;
use arrow::datatypes::Schema;
use terms::Digest;

/// A running SHA-256 over the logical values of a result.
///
/// Shape: `bonded result v1\n`; the number of columns; for each column its name and its Arrow type;
/// then, row by row, each value. A text is its length in bytes (8 bytes, little-endian) and its bytes.
/// A value is a tag (0 null, 1 bool, 2 int, 3 float, 4 decimal, 5 text, 6 date, 7 timestamp) and its
/// bytes, little-endian; floats by their bits. How the rows are cut into batches does not count.
#[derive(Clone)]
pub(crate) struct Fingerprint(ring::digest::Context);

impl Fingerprint {
    /// Begins with the columns.
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut hash = Self(ring::digest::Context::new(&ring::digest::SHA256));
        hash.0.update(b"bonded result v1\n");
        hash.length(schema.fields().len());
        for field in schema.fields() {
            hash.text(field.name());
            hash.text(&field.data_type().to_string());
        }
        hash
    }

    /// Goes on with the next value, row by row.
    pub(crate) fn push(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.0.update(&[0]),
            Value::Bool(value) => self.0.update(&[1, u8::from(*value)]),
            Value::Int(value) => self.tagged(2, &value.to_le_bytes()),
            Value::Float(value) => self.tagged(3, &value.to_bits().to_le_bytes()),
            Value::Decimal(value) => self.tagged(4, &value.to_le_bytes()),
            Value::Text(value) => {
                self.0.update(&[5]);
                self.text(value);
            }
            Value::Date(value) => self.tagged(6, &value.to_le_bytes()),
            Value::Timestamp(value) => self.tagged(7, &value.to_le_bytes()),
        }
    }

    /// The digest of all so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest::finished(self.0.clone())
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.update(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.0
            .update(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
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
    use arrow::datatypes::{DataType, Field};

    /// The bytes of a result as the type's documentation says them, written down by hand.
    #[test]
    fn a_digest_is_of_the_bytes_that_are_documented() {
        let schema = Schema::new(vec![
            Field::new("a", DataType::Int64, true),
            Field::new("名", DataType::Utf8, true),
        ]);
        let mut hash = Fingerprint::of(&schema);
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(-2),
            Value::Float(1.0),
            Value::Decimal(3),
            Value::Text("ab"),
            Value::Date(4),
            Value::Timestamp(5),
        ];
        for value in &values {
            hash.push(value);
        }
        let length = |bytes: u64| bytes.to_le_bytes().to_vec();
        let bytes = [
            b"bonded result v1\n".to_vec(),
            length(2),
            length(1),
            b"a".to_vec(),
            length(5),
            b"Int64".to_vec(),
            length(3),
            "名".into(),
            length(4),
            b"Utf8".to_vec(),
            vec![0],
            vec![1, 1],
            vec![2, 0xfe, 255, 255, 255, 255, 255, 255, 255],
            vec![3, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
            vec![4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            vec![5],
            length(2),
            b"ab".to_vec(),
            vec![6, 4, 0, 0, 0],
            vec![7, 5, 0, 0, 0, 0, 0, 0, 0],
        ];
        let wanted = Digest::of(&bytes.concat());
        assert_eq!(hash.digest(), wanted);
        assert_eq!(format!("{hash:?}"), format!("Fingerprint({wanted})"));
    }

    #[test]
    fn texts_that_run_into_each_other_are_told_apart() {
        let digest = |texts: [&str; 2]| {
            let mut hash = Fingerprint::of(&Schema::empty());
            for text in texts {
                hash.push(&Value::Text(text));
            }
            hash.digest()
        };
        // The tag of a text is 5: without lengths both would be the same bytes.
        assert_ne!(digest(["a\u{5}b", "c"]), digest(["a", "b\u{5}c"]));
    }
}

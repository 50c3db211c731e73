use crate::{Ring, Unjailed};
use std::fmt;

/// The walls around the children of a zygote, and those that do not stand, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rings {
    told: Vec<(Ring, Standing)>,
}

/// Whether a wall stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does, in this form; empty where it has but one.
    Up(String),
    /// It does not, for this reason.
    Down(String),
}

impl Rings {
    /// Notes what became of one.
    pub(crate) fn note(
        &mut self,
        ring: Ring,
        result: Result<impl Into<String>, impl fmt::Display>,
    ) {
        let standing = match result {
            Ok(form) => Standing::Up(form.into()),
            Err(why) => Standing::Down(why.to_string()),
        };
        self.told.retain(|(known, _)| *known != ring);
        self.told.push((ring, standing));
    }

    /// Each with whether it stands, in the order of [`Ring::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Ring, &Standing)> {
        let told = |ring| self.told.iter().find(move |(known, _)| *known == ring);
        let told = Ring::ALL.into_iter().filter_map(told);
        told.map(|(ring, standing)| (*ring, standing))
    }

    /// Those that stand.
    #[must_use]
    pub fn up(&self) -> Vec<Ring> {
        let up = |(ring, standing)| matches!(standing, &Standing::Up(_)).then_some(ring);
        self.iter().filter_map(up).collect()
    }

    /// Refuses unless all of these stand.
    pub(crate) fn demanded(&self, demanded: &[Ring]) -> Result<(), Unjailed> {
        let missing = |ring: &&Ring| !self.up().contains(ring);
        let Some(ring) = demanded.iter().find(missing) else {
            return Ok(());
        };
        let why = self.iter().find_map(|(known, standing)| match standing {
            Standing::Down(why) if known == *ring => Some(why.clone()),
            Standing::Down(_) | Standing::Up(_) => None,
        });
        Err(Unjailed::Demanded {
            ring: *ring,
            why: why.unwrap_or_else(|| "it was not tried".to_owned()),
        })
    }

    /// As lines, which [`Self::read`] reads back.
    pub(crate) fn listed(&self) -> String {
        let line = |(ring, standing): (Ring, &Standing)| match standing {
            Standing::Up(form) => format!("+{ring} {form}\n"),
            Standing::Down(why) => format!("-{ring} {}\n", why.replace('\n', " ")),
        };
        self.iter().map(line).collect()
    }

    /// What a zygote listed; lines that say nothing known are left out.
    pub(crate) fn read(listed: &str) -> Self {
        let read = |line: &str| {
            let (name, text) = line.get(1..)?.split_once(' ')?;
            let ring = name.parse().ok()?;
            match line.get(..1)? {
                "+" => Some((ring, Standing::Up(text.to_owned()))),
                "-" => Some((ring, Standing::Down(text.to_owned()))),
                _ => None,
            }
        };
        Self {
            told: listed.lines().filter_map(read).collect(),
        }
    }
}

impl fmt::Display for Rings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (ring, standing) in self.iter() {
            match standing {
                Standing::Up(form) if form.is_empty() => write!(f, "{separator}{ring}")?,
                Standing::Up(form) => write!(f, "{separator}{ring} ({form})")?,
                Standing::Down(why) => write!(f, "{separator}NOT {ring} ({why})")?,
            }
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_come_back_as_they_were_listed_and_what_is_demanded_must_stand() {
        let mut rings = Rings::default();
        rings.note(Ring::Landlock, Ok::<_, &str>("ABI 7"));
        rings.note(Ring::Limits, Ok::<_, &str>(""));
        rings.note(Ring::User, Err::<String, _>("not\npermitted"));
        let read = Rings::read(&rings.listed());
        assert_eq!(read.up(), [Ring::Limits, Ring::Landlock]);
        let told = "limits, landlock (ABI 7), NOT user (not permitted)";
        assert_eq!(read.to_string(), told);
        assert!(read.demanded(&[Ring::Landlock, Ring::Limits]).is_ok());
        let refused = |ring| read.demanded(&[ring]).unwrap_err().to_string();
        assert!(refused(Ring::User).contains("not permitted"));
        assert!(refused(Ring::User).contains("start as root"));
        assert!(refused(Ring::ControlGroup).contains("not tried"));
    }

    #[test]
    fn every_ring_is_found_by_its_name_alone() {
        for ring in Ring::ALL {
            assert_eq!(ring.name().parse(), Ok(ring));
        }
        assert!("everything".parse::<Ring>().is_err());
    }
}

//! Progress bars with a postfix (tqdm, ignite): `Epoch 0:  12%|█▎   | 5/40 [00:00<00:00, 48.9batch/s, loss=0.4]`. The
//! bar is cut out and what is left is read as fields; the position `5/40` is the batch.

/// A bar taken apart.
#[derive(Debug, Default)]
pub struct Bar {
    /// Description and postfix, as a line of fields
    pub text: String,
    /// Position and end
    pub at: Option<(f64, f64)>,
}

impl Bar {
    /// Takes a line apart. False: it is no bar.
    pub fn read(&mut self, line: &str) -> bool {
        self.text.clear();
        self.at = None;
        let Some((before, after)) = line.split_once("%|") else { return false };
        let description = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end();
        if description.len() == before.len() {
            return false;
        }
        let tail = after.rsplit_once('|').map_or(after, |(_, tail)| tail);
        let tail = tail.trim_start_matches(|c: char| !c.is_ascii() || c == ' ' || c == '#');
        let (count, inside) = tail.split_once('[').unwrap_or((tail, ""));
        let inside = inside.rsplit_once(']').map_or(inside, |(inside, _)| inside);
        let (position, text) = count.split_at(count.find([' ', ',']).unwrap_or(count.len()));
        self.at = position.split_once('/').and_then(|(n, m)| Some((whole(n)?, whole(m)?)));
        // The description may be the heading of a table.
        if !description.trim().contains("   ") {
            self.text.push_str(description.trim_end_matches("||:").trim_end());
        }
        self.text.push_str(" | ");
        self.text.push_str(text);
        for item in inside.split(", ").filter(|item| item.contains(['=', ':']) && !item.contains(['<', '?'])) {
            self.text.push_str(" , ");
            self.text.push_str(item);
        }
        true
    }
}

fn whole(text: &str) -> Option<f64> {
    text.parse::<u64>().ok().map(|n| n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        for (line, text, at) in [
            (
                "Epoch 0:  12%|█▎  | 5/40 [00:00<00:00, 48.9batch/s, acc=0.1, loss=0.4]",
                "Epoch 0: |   , acc=0.1 , loss=0.4",
                Some((5.0, 40.0)),
            ),
            ("E [2/2]: [14/15]  93%|██▎, batch loss=1.19 [00:00<00:00]", "E [2/2]: [14/15] | , batch loss=1.19", None),
            (
                "acc: 0.5, loss: 1.2 ||:  12%|#2   | 12/100 [00:01<00:10, 8it/s]",
                "acc: 0.5, loss: 1.2 | ",
                Some((12.0, 100.0)),
            ),
            ("  0%|          | 0/16 [00:00<?, ?it/s]", " | ", Some((0.0, 16.0))),
        ] {
            let mut bar = Bar::default();
            assert!(bar.read(line), "{line}");
            assert_eq!((bar.text.trim_end(), bar.at), (text.trim_end(), at), "{line}");
        }
        assert!(!Bar::default().read("50% of |x|"));
        assert!(!Bar::default().read("%|"));
    }
}

//! A pickle as data: the objects it describes, nothing of it executed (CPython's Lib/pickletools.py tells the opcodes).
//!
//! A pickle is a program for a machine with a stack and a memory of earlier objects. Those instructions that build plain
//! objects are followed; those that name a function or class give a `Global`, and those that would call one give a `Made`,
//! which holds what it would be called with. Which globals are harmless is for `allowed` to say: any other ends it.
//! Objects are numbers into one list, so that whatever refers to itself or to others a million times takes no more memory
//! than the pickle's own text suggests.

use std::collections::HashMap;

/// Most objects, lists of arguments and stack places included: bounds memory, whatever the pickle does.
const MOST: usize = 4_000_000;

/// An object, or the place of one that holds others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Object {
    /// None, and what is of no interest
    None,
    /// True or False
    Bool(bool),
    /// An integer
    Int(i64),
    /// A number
    Float(f64),
    /// One in the list
    At(u32),
}

/// What others refer to.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// A text
    Text(String),
    /// Bytes, which never matter here
    Bytes,
    /// A tuple or a list
    List(Vec<Object>),
    /// A dictionary in its order
    Map(Vec<(Object, Object)>),
    /// A function or class
    Global(String),
    /// What another program keeps under this id
    Kept(Object),
    /// What a global makes of arguments, with the state it is given afterwards
    Made {
        /// The global
        of: Object,
        /// A tuple
        with: Object,
        /// The state, and what is put into it, if it is a dictionary
        state: Object,
    },
}

/// The objects of a pickle.
#[derive(Debug, Default)]
pub struct Pickle {
    held: Vec<Held>,
    /// Objects in all, those in lists too
    count: usize,
}

impl Pickle {
    /// Reads a pickle; gives it with the object that it describes.
    ///
    /// # Errors
    /// In words, with the byte: an instruction that does not describe data, a global that is not `allowed`, damage.
    pub fn read(bytes: &[u8], allowed: &dyn Fn(&str) -> bool) -> Result<(Pickle, Object), String> {
        let mut machine = Machine {
            bytes,
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memory: HashMap::new(),
            pickle: Pickle::default(),
            allowed,
        };
        loop {
            let at = machine.at;
            match machine.step() {
                Ok(None) => {}
                Ok(Some(object)) => return Ok((machine.pickle, object)),
                Err(what) => return Err(format!("byte {at} of its pickle: {what}")),
            }
        }
    }

    /// What an object holds.
    pub fn get(&self, object: Object) -> Option<&Held> {
        match object {
            Object::At(at) => self.held.get(at as usize),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, object: Object) -> Option<&str> {
        match self.get(object)? {
            Held::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A tuple or list.
    pub fn list(&self, object: Object) -> Option<&[Object]> {
        match self.get(object)? {
            Held::List(items) => Some(items),
            _ => None,
        }
    }

    /// The name of a global.
    pub fn global(&self, object: Object) -> Option<&str> {
        match self.get(object)? {
            Held::Global(name) => Some(name),
            _ => None,
        }
    }

    fn hold(&mut self, held: Held) -> Result<Object, String> {
        self.count(1)?;
        let at = u32::try_from(self.held.len()).map_err(|_| "too many objects")?;
        self.held.push(held);
        Ok(Object::At(at))
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.count += more;
        if self.count > MOST { Err(format!("more than {MOST} objects")) } else { Ok(()) }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Object>,
    /// Heights of the stack
    marks: Vec<usize>,
    memory: HashMap<u64, Object>,
    pickle: Pickle,
    allowed: &'a dyn Fn(&str) -> bool,
}

impl Machine<'_> {
    /// One instruction; what was described, at the end.
    fn step(&mut self) -> Result<Option<Object>, String> {
        let opcode = self.take(1)?.first().copied().unwrap_or_default();
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => drop(self.take(1)?), // PROTO
            0x95 => drop(self.take(8)?), // FRAME
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.stack.last().copied().ok_or("nothing on the stack")?;
                self.push(top)?;
            }
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(opcode)?,
            b'N' | 0x88 | 0x89 | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'G' => {
                let number = self.number(opcode)?;
                self.push(number)?;
            }
            b'X' | 0x8c | 0x8d | b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => self.text(opcode)?,
            b'}' | b']' | b')' | 0x8f | b'l' | b't' | b'd' | 0x85..=0x87 | 0x91 => self.gather(opcode)?,
            b'a' | b'e' | b's' | b'u' | 0x90 => self.put_in(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'Q' => {
                let id = self.pop()?;
                self.push_held(Held::Kept(id))?;
            }
            b'R' | 0x81 | 0x92 => self.make(opcode)?,
            b'b' => self.build()?,
            other => return Err(format!("instruction 0x{other:02x} describes no tensors")),
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let bytes =
            self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end)).ok_or("it ends too early")?;
        self.at += count;
        Ok(bytes)
    }

    fn unsigned(&mut self, width: usize) -> Result<u64, String> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn push(&mut self, object: Object) -> Result<(), String> {
        if self.stack.len() >= MOST {
            return Err(format!("more than {MOST} objects on its stack"));
        }
        self.stack.push(object);
        Ok(())
    }

    fn push_held(&mut self, held: Held) -> Result<(), String> {
        let object = self.pickle.hold(held)?;
        self.push(object)
    }

    fn pop(&mut self) -> Result<Object, String> {
        if self.marks.last().is_some_and(|mark| *mark >= self.stack.len()) {
            return Err("a mark where an object should be".into());
        }
        self.stack.pop().ok_or_else(|| "nothing on the stack".into())
    }

    fn pop_mark(&mut self) -> Result<Vec<Object>, String> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or("no mark on the stack")?;
        Ok(self.stack.split_off(mark))
    }

    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let place = match opcode {
            b'q' | b'h' => self.unsigned(1)?,
            b'r' | b'j' => self.unsigned(4)?,
            _ => self.memory.len() as u64,
        };
        if matches!(opcode, b'h' | b'j') {
            let object = *self.memory.get(&place).ok_or("an object that was not kept")?;
            return self.push(object);
        }
        let top = self.stack.last().copied().ok_or("nothing to keep")?;
        self.pickle.count(1)?;
        self.memory.insert(place, top);
        Ok(())
    }

    fn number(&mut self, opcode: u8) -> Result<Object, String> {
        Ok(match opcode {
            0x88 | 0x89 => Object::Bool(opcode == 0x88),
            b'J' => Object::Int(i64::from(self.unsigned(4)? as u32 as i32)),
            b'K' => Object::Int(self.unsigned(1)? as i64),
            b'M' => Object::Int(self.unsigned(2)? as i64),
            b'G' => Object::Float(f64::from_bits(self.unsigned(8)?.swap_bytes())),
            0x8a | 0x8b => {
                let length = self.unsigned(if opcode == 0x8a { 1 } else { 4 })? as usize;
                let bytes = self.take(length)?;
                // Two's complement, the lowest byte first; what is too great for a size is of no interest.
                let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
                let start = if negative { -1 } else { 0 };
                let value = bytes.iter().rev().fold(start, |number: i64, byte| number << 8 | i64::from(*byte));
                if length <= 8 { Object::Int(value) } else { Object::None }
            }
            _ => Object::None,
        })
    }

    fn text(&mut self, opcode: u8) -> Result<(), String> {
        let width = match opcode {
            0x8c | b'U' | b'C' => 1,
            0x8d | 0x8e | 0x96 => 8,
            _ => 4,
        };
        let length = usize::try_from(self.unsigned(width)?).map_err(|_| "a text without end")?;
        let bytes = self.take(length)?;
        // Texts of Python 2 are bytes too.
        let is_text = matches!(opcode, b'X' | 0x8c | 0x8d | b'T' | b'U');
        let held = if is_text { Held::Text(String::from_utf8_lossy(bytes).into_owned()) } else { Held::Bytes };
        self.push_held(held)
    }

    fn gather(&mut self, opcode: u8) -> Result<(), String> {
        let items = match opcode {
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                items
            }
            b'l' | b't' | b'd' | 0x91 => self.pop_mark()?,
            _ => Vec::new(),
        };
        self.pickle.count(items.len())?;
        let is_map = matches!(opcode, b'}' | b'd');
        self.push_held(if is_map { Held::Map(pairs(&items)?) } else { Held::List(items) })
    }

    /// Adds to a list, a set or a dictionary below.
    fn put_in(&mut self, opcode: u8) -> Result<(), String> {
        let items = match opcode {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_mark()?,
        };
        self.pickle.count(items.len())?;
        let is_map = matches!(opcode, b's' | b'u');
        let Some(Object::At(at)) = self.stack.last().copied() else { return Err("nothing to add to".into()) };
        let Some(held) = self.pickle.held.get_mut(at as usize) else { return Err("nothing to add to".into()) };
        match held {
            Held::List(list) if !is_map => list.extend(items),
            Held::Map(map) if is_map => map.extend(pairs(&items)?),
            // An OrderedDict or a list of a class of its own: what is put into it is its state.
            Held::Made { state, .. } => {
                let into = *state;
                match (into, is_map) {
                    (Object::None, true) => {
                        let map = self.pickle.hold(Held::Map(pairs(&items)?))?;
                        self.set_state(at, map);
                    }
                    (Object::None, false) => {
                        let list = self.pickle.hold(Held::List(items))?;
                        self.set_state(at, list);
                    }
                    (Object::At(inner), _) => match self.pickle.held.get_mut(inner as usize) {
                        Some(Held::Map(map)) if is_map => map.extend(pairs(&items)?),
                        Some(Held::List(list)) if !is_map => list.extend(items),
                        _ => return Err("nothing to add to".into()),
                    },
                    _ => return Err("nothing to add to".into()),
                }
            }
            _ => return Err("nothing to add to".into()),
        }
        Ok(())
    }

    fn set_state(&mut self, at: u32, to: Object) {
        if let Some(Held::Made { state, .. }) = self.pickle.held.get_mut(at as usize) {
            *state = to;
        }
    }

    fn global(&mut self, opcode: u8) -> Result<(), String> {
        let (module, name) = if opcode == b'c' {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            let text = |object| self.pickle.text(object).map(str::to_string).ok_or("a name that is no text");
            (text(module)?, text(name)?)
        };
        let name = format!("{module}.{name}");
        if !(self.allowed)(&name) {
            let what = match name.starts_with("torch.") {
                true => "tensors of that kind are not read",
                false => "none of what describes tensors: save a state dictionary (model.state_dict())",
            };
            return Err(format!("it names {name}: {what}"));
        }
        self.push_held(Held::Global(name))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("it ends too early")?;
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.at += end + 1;
        Ok(line)
    }

    fn make(&mut self, opcode: u8) -> Result<(), String> {
        if opcode == 0x92 {
            // NEWOBJ_EX: arguments by name are of no interest.
            self.pop()?;
        }
        let (with, of) = (self.pop()?, self.pop()?);
        if self.pickle.global(of).is_none() {
            return Err("it calls what is no function".into());
        }
        self.push_held(Held::Made { of, with, state: Object::None })
    }

    fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        match self.stack.last().copied() {
            Some(Object::At(at)) => {
                if let Some(Held::Made { state: own, .. }) = self.pickle.held.get_mut(at as usize)
                    && *own == Object::None
                {
                    *own = state;
                }
                Ok(())
            }
            _ => Err("nothing to give a state to".into()),
        }
    }
}

fn pairs(items: &[Object]) -> Result<Vec<(Object, Object)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err("a key without a value".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(Pickle, Object), String> {
        Pickle::read(bytes, &|name| name == "collections.OrderedDict")
    }

    #[test]
    fn plain_objects() {
        let (pickle, top) = read(b"\x80\x02}q\x00(U\x01aK\x05X\x01\0\0\0b]q\x01(J\xff\xff\xff\xff\x88Neu.").unwrap();
        let Some(Held::Map(map)) = pickle.get(top) else { panic!() };
        assert_eq!((pickle.text(map[0].0), map[0].1), (Some("a"), Object::Int(5)));
        assert_eq!(pickle.list(map[1].1).unwrap(), [Object::Int(-1), Object::Bool(true), Object::None]);
        let (_, top) = read(b"\x8a\x02\x00\xff.").unwrap();
        assert_eq!(top, Object::Int(-256));
        assert_eq!(read(b"G\x3f\xf8\0\0\0\0\0\0.").unwrap().1, Object::Float(1.5));
        // An ordered dictionary is filled after it was made; one that holds itself takes no more than that.
        let (pickle, top) = read(b"ccollections\nOrderedDict\n)Rq\0(K\x01h\0u.").unwrap();
        let Some(Held::Made { state, .. }) = pickle.get(top) else { panic!() };
        assert_eq!(pickle.get(*state), Some(&Held::Map(vec![(Object::Int(1), top)])));
    }

    #[test]
    fn nothing_else() {
        for (bytes, what) in [
            (&b"cos\nsystem\n(U\x02idtR."[..], "os.system"),
            (b"\x8c\x05posix\x8c\x06system\x93.", "posix.system"),
            (b"K\x01K\x01R.", "no function"),
            (b"(ios\nsystem\n.", "0x69 describes"),
            (b"I1\n.", "0x49"),
            (b"P1\n.", "0x50"),
            (b"", "ends too early"),
            (b"X\xff\xff\xff\xffa.", "ends too early"),
            (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.", "ends too early"),
            (b".", "nothing on the stack"),
            (b"(.", "a mark where"),
            (b"(K\x01(R.", "a mark"),
            (b"h\x07.", "not kept"),
            (b"t.", "no mark"),
            (b"}(K\x01u.", "key without"),
            (b"K\x01K\x02s.", "nothing"),
            (b"K\x01K\x02a.", "nothing to add"),
            (b"Nb.", "give a state"),
        ] {
            let err = read(bytes).unwrap_err();
            assert!(err.contains(what), "{bytes:?}: {err}");
        }
        let bomb = [b"N".repeat(MOST + 1), b".".to_vec()].concat();
        assert!(read(&bomb).unwrap_err().contains("objects"));
    }
}

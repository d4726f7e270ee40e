//! A machine with metadata drives in memory: their files go through the simulated medium, their names through a
//! simulated directory, and the power fails at a chosen step of all of them together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::drive::{Drive, Found};
use super::replica::Replica;
use super::start::StartError;
use super::witness::{Mark, Witness};
use super::{DriveRefused, Health, ReplicatedStore};
use crate::store::embedded::sim::{OpenFile, Power, SimDisk, Survive};
use crate::store::{Entry, Revision, Snapshot, StoreError, Transaction};

/// Keys and values, without their revisions.
pub(super) type Contents = BTreeMap<String, Vec<u8>>;

/// The directory of a drive: which file has the store's name.
#[derive(Clone, Debug, Default)]
struct Directory {
    /// What is found now.
    live: Option<SimDisk>,
    /// What the last sync of the directory made certain.
    durable: Option<SimDisk>,
}

/// The disk behind a drive; it survives the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Option<Vec<u8>>);

impl Disk {
    /// A disk with what `snapshot` says.
    pub(super) fn holding(snapshot: &Snapshot) -> Self {
        let file = SimDisk::powered(Vec::new(), vec![Power::endless()]);
        file.write(&PathBuf::from("draft"), snapshot).unwrap();
        Self(Some(file.after_crash(Survive::Nothing)))
    }

    /// A disk whose store is garbage.
    pub(super) fn damaged() -> Self {
        Self(Some(vec![0x5A; 8192]))
    }
}

/// A drive over a disk, in one life of the process.
#[derive(Clone)]
pub(super) struct SimDrive {
    name: String,
    directory: Arc<Mutex<Directory>>,
    power: Vec<Power>,
    present: bool,
    open: Arc<Mutex<Option<OpenFile>>>,
}

impl SimDrive {
    /// The drive `name` over `disk`, using the machine's power and its own.
    pub(super) fn new(name: &str, disk: &Disk, machine: &Power, own: &Power) -> Self {
        let power = vec![machine.clone(), own.clone()];
        let file = disk.0.as_ref().map(|image| SimDisk::powered(image.clone(), power.clone()));
        let directory = Arc::new(Mutex::new(Directory { live: file.clone(), durable: file }));
        Self { name: name.into(), directory, power, present: true, open: Arc::default() }
    }

    /// The same drive, unplugged.
    pub(super) fn unplugged(mut self) -> Self {
        self.present = false;
        self
    }

    /// What is on the disk when the power comes back: the synced name, or the one given since.
    pub(super) fn after_crash(&self, survive: Survive, name_survives: bool) -> Disk {
        let directory = self.directory.lock().unwrap();
        let file = if name_survives { &directory.live } else { &directory.durable };
        Disk(file.as_ref().map(|file| file.after_crash(survive)))
    }

    fn step(&self) -> Result<(), StoreError> {
        let step = self.power.iter().try_for_each(Power::step);
        step.map_err(|error| self.unavailable(&error.to_string()))
    }

    fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { path: PathBuf::from(&self.name), reason: reason.into() }
    }

    /// Uses the open file, opening it first when it is not open.
    fn with<T>(&self, work: impl FnOnce(&OpenFile) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut open = self.open.lock().unwrap();
        if open.is_none() {
            let file = self.directory.lock().unwrap().live.clone();
            let file = file.ok_or_else(|| StoreError::Missing { path: PathBuf::from(&self.name) })?;
            *open = Some(file.open(&PathBuf::from(&self.name))?);
        }
        work(open.as_ref().unwrap())
    }
}

impl Drive for SimDrive {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn look(&mut self) -> Found {
        if !self.present {
            return Found::Absent("unplugged".into());
        }
        if self.directory.lock().unwrap().live.is_none() {
            return Found::Empty;
        }
        match self.with(OpenFile::snapshot) {
            Ok(snapshot) => Replica::parse(snapshot).map_or_else(Found::Damaged, |copy| Found::Present(Box::new(copy))),
            Err(error @ StoreError::Damaged { .. }) => Found::Damaged(error.to_string()),
            Err(error) => Found::Absent(error.to_string()),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.with(|file| file.get(key))
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.with(|file| file.list(prefix))
    }

    fn commit(&mut self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError> {
        self.with(|file| file.commit_as(transaction, revision))
    }

    fn replace(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.close();
        let draft = SimDisk::powered(Vec::new(), self.power.clone());
        draft.write(&PathBuf::from(&self.name), snapshot)?;
        self.step()?;
        self.directory.lock().unwrap().live = Some(draft.clone());
        self.step()?;
        self.directory.lock().unwrap().durable = Some(draft);
        Ok(())
    }

    fn close(&mut self) {
        *self.open.lock().unwrap() = None;
    }
}

/// A witness that writes its file in two steps: the name, and the sync that makes it certain.
#[derive(Clone)]
pub(super) struct SimWitness {
    marks: Arc<Mutex<(Option<Mark>, Option<Mark>)>>,
    machine: Power,
}

impl SimWitness {
    pub(super) fn new(mark: Option<Mark>, machine: &Power) -> Self {
        Self { marks: Arc::new(Mutex::new((mark.clone(), mark))), machine: machine.clone() }
    }

    /// The mark when the power comes back: the synced one, or the one written since.
    pub(super) fn after_crash(&self, name_survives: bool) -> Option<Mark> {
        let marks = self.marks.lock().unwrap();
        if name_survives { marks.0.clone() } else { marks.1.clone() }
    }

    fn step(&self) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::NoDrive(format!("the witness: {error}"));
        self.machine.step().map_err(failed)
    }
}

impl Witness for SimWitness {
    fn load(&self) -> Result<Option<Mark>, StoreError> {
        Ok(self.marks.lock().unwrap().0.clone())
    }

    fn store(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.step()?;
        self.marks.lock().unwrap().0 = Some(mark.clone());
        self.step()?;
        self.marks.lock().unwrap().1 = Some(mark.clone());
        Ok(())
    }
}

/// What remains while the power is off.
#[derive(Clone, Debug, Default)]
pub(super) struct Hardware {
    pub(super) disks: Vec<Disk>,
    pub(super) mark: Option<Mark>,
}

impl Hardware {
    /// Empty disks and no memory of anything.
    pub(super) fn new(disks: usize) -> Self {
        Self { disks: vec![Disk::default(); disks], mark: None }
    }

    /// Switches on with power for `steps`; the disks not among `plugged` cannot be reached.
    pub(super) fn switch_on(&self, steps: usize, plugged: &[usize]) -> Machine {
        let power = Power::new(steps);
        let own: Vec<Power> = self.disks.iter().map(|_| Power::endless()).collect();
        let drive = |(place, disk): (usize, &Disk)| {
            let drive = SimDrive::new(&format!("disk {place}"), disk, &power, &own[place]);
            if plugged.contains(&place) { drive } else { drive.unplugged() }
        };
        let drives = self.disks.iter().enumerate().map(drive).collect();
        let witness = SimWitness::new(self.mark.clone(), &power);
        Machine { drives, own, witness, power, plugged: plugged.to_vec() }
    }
}

/// The machine while it runs.
pub(super) struct Machine {
    pub(super) drives: Vec<SimDrive>,
    /// The power of each disk: taking it away breaks the disk.
    pub(super) own: Vec<Power>,
    pub(super) witness: SimWitness,
    pub(super) power: Power,
    plugged: Vec<usize>,
}

impl Machine {
    pub(super) fn drive(&self, place: usize) -> Box<dyn Drive> {
        Box::new(self.drives[place].clone())
    }

    /// Opens the store from all disks.
    pub(super) fn open(&self) -> Result<ReplicatedStore, StartError> {
        let drives = (0..self.drives.len()).map(|place| self.drive(place)).collect();
        ReplicatedStore::open(drives, Box::new(self.witness.clone()))
    }

    /// Makes the store on the first plugged disk and adds the others that are plugged.
    pub(super) fn create(&self, contents: &Snapshot) -> Result<ReplicatedStore, StartError> {
        let (first, others) = self.plugged.split_first().unwrap();
        let store = ReplicatedStore::create(self.drive(*first), Box::new(self.witness.clone()), contents)?;
        for place in others {
            self.add(&store, *place).unwrap();
        }
        Ok(store)
    }

    pub(super) fn add(&self, store: &ReplicatedStore, place: usize) -> Result<(), DriveRefused> {
        store.add_drive(self.drive(place)).map(drop)
    }

    /// Pulls the plug.
    pub(super) fn crash(&self, survive: Survive, names_survive: bool) -> Hardware {
        let disks = self.drives.iter().map(|drive| drive.after_crash(survive, names_survive)).collect();
        Hardware { disks, mark: self.witness.after_crash(names_survive) }
    }
}

/// What the store holds.
pub(super) fn contents(store: &ReplicatedStore) -> Contents {
    store.snapshot().unwrap().entries.into_iter().map(|(key, entry)| (key, entry.value)).collect()
}

/// The places of the disks that take part.
pub(super) fn in_use(store: &ReplicatedStore) -> Vec<usize> {
    let health = store.health().into_iter();
    let used = health.filter(|drive| drive.health == Health::InUse);
    let mut places: Vec<usize> = used.map(|drive| drive.name["disk ".len()..].parse().unwrap()).collect();
    places.sort_unstable();
    places
}

//! The main job: a real filesystem with a real tree of files on the export, through restarts and crashes.

use std::fs;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Filesystem, Mounted, Need, Run, Sear, Served, require};

const NEEDS: [Need; 6] =
    [Need::Root, Need::Fuse, Need::Loop, Need::Tool("nbdfuse"), Need::Tool("losetup"), Need::Tool("fusermount3")];

#[test]
#[ignore = "long, and mounts as root: writes more than a gibibyte"]
fn the_rust_toolchain_on_ext4_survives_a_server_killed_after_unmounting() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, tree) = (Sear::new(), Tree::of_the_toolchain(1 << 30));
    let served = up(&sear, "2G");
    write_tree(&served, Filesystem::Ext4, &tree);
    served.crash();
    let served = up(&sear, "2G");
    compare_tree(&served, Filesystem::Ext4, &tree);
    served.stop();
}

#[test]
#[ignore = "mounts as root"]
fn a_synced_tree_on_ext4_survives_the_death_of_the_server() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, tree) = (Sear::new(), Tree::of_the_toolchain(128 << 20));
    let served = up(&sear, "1G");
    let mut mounted = Mounted::attach(&served.uri());
    mounted.format(Filesystem::Ext4);
    let files = mounted.mount();
    tree.copy_to(&files);
    Run::new("sync").arg("--file-system").arg(&files).limit(300).ok();
    served.crash();
    drop(mounted);

    let served = up(&sear, "1G");
    let mut mounted = Mounted::attach(&served.uri());
    mounted.mount();
    mounted.unmount();
    mounted.detach();
    compare_tree(&served, Filesystem::Ext4, &tree);
    served.stop();
}

#[test]
#[ignore = "mounts as root"]
fn a_tree_on_xfs_survives_a_restart() {
    if !require(&NEEDS) || !require(&[Need::Tool("mkfs.xfs")]) {
        return;
    }
    let (sear, tree) = (Sear::new(), Tree::of_the_toolchain(64 << 20));
    let served = up(&sear, "512M");
    write_tree(&served, Filesystem::Xfs, &tree);
    served.stop();
    let served = up(&sear, "512M");
    compare_tree(&served, Filesystem::Xfs, &tree);
    served.stop();
}

fn up(sear: &Sear, size: &str) -> Served {
    sear.up(&sear.path("disk"), ["--size", size])
}

fn write_tree(served: &Served, filesystem: Filesystem, tree: &Tree) {
    let mut mounted = Mounted::attach(&served.uri());
    mounted.format(filesystem);
    tree.copy_to(&mounted.mount());
    mounted.unmount();
    mounted.detach();
}

fn compare_tree(served: &Served, filesystem: Filesystem, tree: &Tree) {
    let mut mounted = Mounted::attach(&served.uri());
    mounted.check(filesystem);
    tree.compare_with(&mounted.mount());
    mounted.unmount();
    mounted.detach();
}

/// A choice of files from a folder.
struct Tree {
    root: PathBuf,
    files: Vec<PathBuf>,
}

impl Tree {
    /// Files of the Rust toolchain until they hold `bytes`; none alone fills more than an eighth of that.
    fn of_the_toolchain(bytes: u64) -> Self {
        let root = PathBuf::from(Run::new("rustc").words("--print sysroot").ok().trim());
        let mut all = Vec::new();
        collect(&root, &mut all);
        all.retain(|(_, len)| *len <= bytes / 8);
        all.sort();
        let mut left = bytes;
        let files = all.into_iter().map_while(|(path, len)| {
            let is_wanted = left > 0;
            left = left.saturating_sub(len);
            is_wanted.then_some(path)
        });
        Self { files: files.collect(), root }
    }

    fn copy_to(&self, target: &Path) {
        for file in &self.files {
            let copy = target.join(self.relative(file));
            fs::create_dir_all(copy.parent().expect("it lies below the target")).expect("the folder can be made");
            fs::copy(file, &copy).unwrap_or_else(|error| panic!("cannot write {}: {error}", copy.display()));
        }
    }

    fn compare_with(&self, target: &Path) {
        for file in &self.files {
            let copy = target.join(self.relative(file));
            let found = fs::read(&copy).unwrap_or_else(|error| panic!("cannot read {}: {error}", copy.display()));
            assert!(found == fs::read(file).expect("the original is readable"), "{} has changed", copy.display());
        }
        assert!(self.files.len() > 10, "the tree is too small to mean anything: {:?}", self.files);
    }

    fn relative<'path>(&self, file: &'path Path) -> &'path Path {
        file.strip_prefix(&self.root).expect("it was found below the root")
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in fs::read_dir(folder).expect("the toolchain can be listed") {
        let entry = entry.expect("the toolchain can be listed");
        let kind = entry.file_type().expect("the toolchain can be listed");
        if kind.is_dir() {
            collect(&entry.path(), found);
        } else if kind.is_file() {
            found.push((entry.path(), entry.metadata().expect("the file has a size").len()));
        }
    }
}

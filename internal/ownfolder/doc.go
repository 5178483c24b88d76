// Package ownfolder makes folders for temporary files that a later start removes when their owner was killed, and removes
// nothing else.
//
// A folder is removed only when all of this holds: its name has the form that [Make] gives, it is a folder and no link, it
// belongs to the user of this process, nobody holds its lock, and a marker file in it says that it was made by this package
// under this name and in this place of the disk. A copy of such a folder has another place, so it stays. The kernel drops the
// lock with its owner, however that ends.
package ownfolder

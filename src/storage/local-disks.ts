/** File systems whose files change only through this machine (Linux). */

import { disk } from './disk';

/** Their numbers, from statfs(2). */
const LOCAL = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xca451a4e, // bcachefs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlay, of containers
  0x4d44, // FAT
  0x2011bab0, // exFAT
  0x5346544e, // NTFS
  0x7366746e, // NTFS3
  0x73717368, // SquashFS
  0xe0f5e1e2, // EROFS
  0x9660, // ISO 9660
  0x24051905, // UBIFS
  0x72b6, // JFFS2
]);

/**
 * Tells local disks from network shares, where another machine may change a file and ours learns of
 * it seconds later, and from what makes up its content as it is read (FUSE, /sys).
 */
export class LocalDisks {
  readonly #known = new Map<bigint, boolean>();

  /**
   * Whether a file lies on a local disk. False if that is not known.
   *
   * @param device The disk's number, from `stat`; each is asked for once.
   */
  async has(file: string, device: bigint): Promise<boolean> {
    const known = this.#known.get(device);
    if (known !== undefined) return known;
    const { type } = await disk.statfs(file).catch(() => ({ type: 0 }));
    const isLocal = LOCAL.has(type);
    this.#known.set(device, isLocal);
    return isLocal;
  }
}

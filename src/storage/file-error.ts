/**
 * What goes wrong with files, said twice: to the user, who may know the local path and is told what
 * to change, and to the peer, who must not learn it.
 */

import { LocalError, isTftpError, type TftpError, type TftpErrorCode } from '../protocol/errors';

/** What can be wrong with a file. */
export type FileProblem =
  | 'missing'
  | 'noFolder'
  | 'denied'
  | 'irregular'
  | 'unusableName'
  | 'full'
  | 'exists'
  | 'busy'
  | 'changed'
  | 'failed';

interface Wording {
  /** For a remote client: an ERROR code of RFC 1350 section 5, but for EIO. */
  readonly code: TftpErrorCode;
  /** For the user of the local file. */
  readonly local: TftpErrorCode;
  /** For the peer. */
  readonly peer: string;
  /** For the user: follows the local path. */
  readonly user: string;
}

const WORDINGS: Readonly<Record<FileProblem, Wording>> = {
  missing: {
    code: 'ENOENT',
    local: 'ENOFILE',
    peer: 'File not found',
    user: 'does not exist: check the path',
  },
  noFolder: {
    code: 'ENOENT',
    local: 'ENOFILE',
    peer: 'Folder not found',
    user: 'has no folder to be in: create the folder first, or allow that folders are created',
  },
  denied: {
    code: 'EACCES',
    local: 'ENOPERM',
    peer: 'Access violation',
    user: 'may not be used: change the permissions of the file and its folder, or choose another',
  },
  irregular: {
    code: 'EACCES',
    local: 'ENOPERM',
    peer: 'Not a regular file',
    user: 'is not a regular file: name a file, not a folder, a pipe, a device or a broken link',
  },
  unusableName: {
    code: 'EACCES',
    local: 'ENOPERM',
    peer: 'The file system does not take this file name',
    user: 'has a name that the file system does not take: choose another name',
  },
  full: {
    code: 'ENOSPC',
    local: 'EDISKFULL',
    peer: 'Disk full or allocation exceeded',
    user: 'does not fit on the disk: free some space or choose another folder',
  },
  exists: {
    code: 'EEXIST',
    local: 'EFILEEXISTS',
    peer: 'File already exists',
    user: 'already exists: choose another name, or allow that files are overwritten',
  },
  busy: {
    code: 'EEXIST',
    local: 'EFILEEXISTS',
    peer: 'The file is being uploaded',
    user: 'is being written by another transfer: wait for its end or choose another name',
  },
  changed: {
    code: 'EIO',
    local: 'EIO',
    peer: 'The file was changed while it was read',
    user: 'was changed while it was read: read it again, and replace files by renaming new ones',
  },
  failed: {
    code: 'EIO',
    local: 'EIO',
    peer: 'The file could not be read or written',
    user: 'could not be read or written: check the disk',
  },
};

const PROBLEMS: Readonly<Record<string, FileProblem>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ENAMETOOLONG: 'denied',
  EINVAL: 'unusableName',
  EILSEQ: 'unusableName',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ELOOP: 'denied',
  EISDIR: 'irregular',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EEXIST: 'exists',
};

/**
 * A file could not be used. With a path it is the local user's own file: ENOFILE, ENOPERM,
 * EFILEEXISTS, EDISKFULL. Without one it is a remote client's: ENOENT, EACCES, EEXIST, ENOSPC. EIO
 * either way.
 */
export class FileError extends LocalError {
  /** The local file, which `message` names. Missing if `message` is meant for a remote client. */
  readonly path?: string;

  constructor(problem: FileProblem, path?: string, cause?: unknown) {
    const { code, local, peer, user } = WORDINGS[problem];
    const system = problem === 'failed' ? systemCode(cause) : undefined;
    const text = path === undefined ? peer : `${path} ${user}`;
    super(path === undefined ? code : local, system === undefined ? text : `${text} (${system})`, {
      cause,
      peerMessage: peer,
    });
    if (path !== undefined) this.path = path;
  }
}

/**
 * The error for what a file system call threw; a `TftpError` stays as it is.
 *
 * @param path The local file, if the message is for the local user.
 */
export function fileError(cause: unknown, path?: string): TftpError {
  return isTftpError(cause) ? cause : new FileError(problemOf(cause), path, cause);
}

/** True if a file system call says that there is no such file or folder. */
export function isMissing(cause: unknown): boolean {
  return problemOf(cause) === 'missing';
}

/** The code of a system error, such as ENOENT. */
export function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

function problemOf(cause: unknown): FileProblem {
  return PROBLEMS[systemCode(cause) ?? ''] ?? 'failed';
}

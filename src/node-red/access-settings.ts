/** The properties of a tftp server node that say who may have what, and in which folders it is looked for. */

import { invalidSetting } from '../net/check-setting';
import { Expectations } from '../server/expectations';
import { NameFilter } from '../server/name-filter';
import { OptionProfiles } from '../server/option-profiles';
import type { OptionProfile } from '../server/option-profiles';
import type { ServerOptions } from '../server/server-options';
import type { FolderStorageOptions } from '../storage/folder-storage';
import {
  bytesSetting,
  choiceSetting,
  flagSetting,
  numberSetting,
  textSetting,
  withoutUndefined,
} from './setting';

/** Names are divided by commas or line ends; `refuseOptions` holds objects of `clients` and `refuse`. */
export const ACCESS_DEFAULTS = {
  deny: [] as string[],
  readNames: '',
  writeNames: '',
  requestRate: '200',
  guessLimit: '100',
  expectedSets: [] as string[],
  expectedNames: '',
  probes: true,
  refuseOptions: [] as object[],
};

/** `extraRoots` are divided by line ends, `quota` is in MiB. */
export const FOLDER_DEFAULTS = {
  perClient: '',
  caseInsensitive: false,
  lowerCase: false,
  extraRoots: '',
  writeRoot: '',
  quota: '',
};

/** What a server is told of these. */
export type AccessOptions = Pick<
  ServerOptions,
  | 'deny'
  | 'readNames'
  | 'writeNames'
  | 'requestRate'
  | 'guessLimit'
  | 'expectedMisses'
  | 'probes'
  | 'profiles'
>;

/** What a folder storage is told of these. The folders are as they were written. */
export interface FolderSettings extends Pick<
  FolderStorageOptions,
  'perClient' | 'caseInsensitive' | 'lowerCase' | 'quota'
> {
  /** Searched after the root. */
  readonly extraRoots: readonly string[];
  /** '' for the root. */
  readonly writeRoot: string;
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be. */
export function accessOptions(own: Record<keyof typeof ACCESS_DEFAULTS, unknown>): AccessOptions {
  const readNames = entriesOf(own.readNames);
  const writeNames = entriesOf(own.writeNames);
  const sets = listOf(own.expectedSets).map((set) => `set:${textSetting(set)}`);
  const names = entriesOf(own.expectedNames);
  const profiles = listOf(own.refuseOptions).map(profileOf);
  // The server would say so as well, but not which field is meant, and only when it starts.
  named('readNames', () => new NameFilter(readNames));
  named('writeNames', () => new NameFilter(writeNames));
  named('expectedSets', () => new Expectations(sets));
  named('expectedNames', () => new Expectations(names));
  named('refuseOptions', () => new OptionProfiles(profiles));
  return withoutUndefined<AccessOptions>({
    deny: entriesOf(own.deny),
    readNames,
    writeNames,
    requestRate: numberSetting('requestRate', own.requestRate),
    guessLimit: numberSetting('guessLimit', own.guessLimit),
    expectedMisses: [...sets, ...names],
    probes: flagSetting(own.probes),
    profiles,
  });
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be. */
export function folderSettings(own: Record<keyof typeof FOLDER_DEFAULTS, unknown>): FolderSettings {
  const perClient = choiceSetting('perClient', own.perClient, ['', 'ip', 'mac']);
  return withoutUndefined<FolderSettings>({
    perClient: perClient === '' ? undefined : perClient,
    caseInsensitive: flagSetting(own.caseInsensitive),
    lowerCase: flagSetting(own.lowerCase),
    quota: bytesSetting('quota', own.quota),
    extraRoots: split(textSetting(own.extraRoots), /\n/),
    writeRoot: textSetting(own.writeRoot),
  });
}

function named(property: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw error instanceof Error ? invalidSetting(`${property}: ${error.message}`) : error;
  }
}

function profileOf(entry: unknown): OptionProfile {
  const { clients, refuse } = Object.assign({ clients: [], refuse: 'all-but-tsize' }, entry);
  return {
    clients: entriesOf(clients),
    refuse: refuse === 'all-but-tsize' ? refuse : entriesOf(refuse),
  };
}

/** The entries of a list, or of a text. */
function entriesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return split(textSetting(value), /[,\n]/);
  return value.map(textSetting).filter((entry) => entry !== '');
}

function split(text: string, divider: RegExp): string[] {
  const entries = text.split(divider).map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

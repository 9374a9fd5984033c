/** The languages against one another: each says all that English says, in its own words. */

import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import should = require('should');
import { readCatalogue } from './editor-page';
import { SAME_EVERYWHERE, SAME_WORDS } from './same-words';
import type { Catalogue } from './editor-page';

const NODES = path.resolve(__dirname, '../../../nodes');
const LOCALES = path.join(NODES, 'locales');
const BUILT = path.resolve(__dirname, '../../nodes');

/** The languages of Node-RED itself, with the names that it gives them. */
const LANGUAGES = 'de en-US es-ES fr ja ko pt-BR ru zh-CN zh-TW'.split(' ');
const PRESENT = readdirSync(LOCALES);
const FILES = filesOf('en-US');

/** What is shown below a node must fit between two nodes. */
const STATUS_LENGTH = 26;

/** Tags that go with words. A language may put them elsewhere in their sentence. */
const INLINE_TAGS = ['a', 'b', 'code', 'i', 'span'];

describe('the languages', () => {
  it('are those of Node-RED', () => {
    should([...PRESENT].sort()).deepEqual(LANGUAGES);
  });

  for (const language of PRESENT) {
    it(`name fields and choices in the diagnosis as the dialogs do: ${language}`, () => {
      const names = dialogNames(language);
      for (const [key, text] of sourceCatalogue(language, 'tftp-sidebar.json')) {
        if (!key.startsWith('tftp-sidebar.diagnosis.')) continue;
        should(quotedIn(text).filter((name) => !names.has(name))).deepEqual([], key);
      }
    });
  }
});

for (const language of PRESENT.filter((name) => name !== 'en-US')) {
  describe(`the texts in ${language}`, () => {
    it('are in the same files', () => {
      should(filesOf(language)).deepEqual(FILES);
    });

    for (const file of FILES.filter((name) => name.endsWith('.json'))) {
      it(`of ${file} have the same keys, in the same order`, () => {
        const keys = [...sourceCatalogue(language, file).keys()];
        should(keys).deepEqual([...sourceCatalogue('en-US', file).keys()]);
      });

      it(`of ${file} are translated, with the same placeholders and markup`, () => {
        const texts = sourceCatalogue(language, file);
        const leftovers: string[] = [];
        for (const [key, english] of sourceCatalogue('en-US', file)) {
          const text = texts.get(key) ?? '';
          should(text.trim()).not.equal('', `${key} is empty`);
          should(placeholdersOf(text)).deepEqual(placeholdersOf(english), key);
          should(shapeOf(text)).deepEqual(shapeOf(english), key);
          if (!isTranslated(text, english, language)) leftovers.push(text);
        }
        should(leftovers).deepEqual([], 'the texts that are still English');
      });
    }

    for (const file of FILES.filter((name) => name.endsWith('.html'))) {
      it(`of ${file} have the same structure, code and properties, and are translated`, () => {
        const page = read(language, file);
        const english = read('en-US', file);
        should(shapeOf(page)).deepEqual(shapeOf(english));
        const original = wordsOf(english);
        const leftovers = wordsOf(page).filter(
          (words, index) => !isTranslated(words, original[index] ?? '', language),
        );
        should(leftovers).deepEqual([], 'what is still English');
      });
    }

    for (const type of FILES.filter((name) => /^tftp-\w+\.html$/.test(name)).map(withoutSuffix)) {
      describe(`of ${type}`, () => {
        let catalogue: Catalogue;
        let english: Catalogue;

        before(() => {
          catalogue = readCatalogue(`locales/${language}/${type}.json`);
          english = readCatalogue(`locales/en-US/${type}.json`);
        });

        it('are all that its page asks for', () => {
          const page = readFileSync(path.join(BUILT, `${type}.html`), 'utf8');
          for (const [, key = ''] of page.matchAll(/['"\]](tftp(?:-\w+)?(?:\.\w+)+)['";]/g)) {
            if (key.endsWith('.svg')) continue;
            should(catalogue.has(key)).equal(true, key);
          }
        });

        it('call fields and choices in the help what the dialog calls them', () => {
          const original = blocksOf(builtHelp('en-US', type));
          blocksOf(builtHelp(language, type)).forEach((block, index) => {
            const unnamed = namesWanting(block, catalogue, original[index] ?? '', english);
            should(unnamed).deepEqual([], block);
          });
        });

        it('call fields and choices in the tips what the dialog calls them', () => {
          for (const [key, text] of english) {
            const unnamed = namesWanting(catalogue.get(key) ?? '', catalogue, text, english);
            should(unnamed).deepEqual([], key);
          }
        });
      });
    }

    it('are short below a node', () => {
      const values = { count: 500, active: 5, queued: 99, attempt: 2, retries: 6, port: 1023 };
      for (const [key, text] of sourceCatalogue(language, 'tftp.json')) {
        if (!/^tftp\.(status|reason)\./.test(key)) continue;
        const filled = text.replace(/__(\w+)__/g, (_, name: keyof typeof values) =>
          String(values[name]),
        );
        filled.length.should.be.below(STATUS_LENGTH, filled);
      }
    });
  });
}

function filesOf(language: string): string[] {
  return readdirSync(path.join(LOCALES, language), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll(path.sep, '/'))
    .sort();
}

function read(language: string, file: string): string {
  return readFileSync(path.join(LOCALES, language, file), 'utf8');
}

function builtHelp(language: string, type: string): string {
  return readFileSync(path.join(BUILT, 'locales', language, `${type}.html`), 'utf8');
}

function sourceCatalogue(language: string, file: string): Catalogue {
  return readCatalogue(path.join(LOCALES, language, file));
}

function withoutSuffix(file: string): string {
  return file.replace(/\.\w+$/, '');
}

function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/__\w+__/g)].map(String).sort();
}

/** The page from each tag that begins or ends a block to the next one, each in one line. */
function blocksOf(html: string): string[] {
  const inline = INLINE_TAGS.join('|');
  // Where no space may be, the formatter breaks lines inside tags.
  const tidy = html.replace(/\s+>/g, '>');
  return tidy.split(new RegExp(`(?=<(?!/?(?:${inline})[\\s>]))`)).map(oneLine);
}

/** All that must not change: the blocks in order; in each its other tags and its code in any order. */
function shapeOf(html: string): string[] {
  return blocksOf(html).flatMap((block) => {
    const parts = block.match(/<code>.*?<\/code>|<dt[^>]*>[^<]*|<!--.*?-->|<[a-z/][^>]*>/g) ?? [];
    return parts.map((part) => part.replace(/^(<dt[^>]*>)\s*|\s+$/g, '$1')).sort();
  });
}

/** The words of each block without code, names of properties, and tags. */
function wordsOf(html: string): string[] {
  return blocksOf(html).map((block) =>
    oneLine(block.replace(/<code>.*?<\/code>|<dt.*|<!--.*?-->|<[^>]*>/g, ' ')),
  );
}

function isTranslated(text: string, english: string, language: string): boolean {
  if (text !== english || !/[A-Za-z]{2}/.test(text)) return true;
  return SAME_EVERYWHERE.has(text) || (SAME_WORDS[language] ?? []).includes(text);
}

/**
 * The fields and choices that `original` names in bold or italics and `text` does not name as their
 * labels in `catalogue` do. What is in italics may also be what a program says: that stays.
 */
function namesWanting(
  text: string,
  catalogue: Catalogue,
  original: string,
  english: Catalogue,
): string[] {
  const names = new Set(namesIn(text));
  return namesIn(original).filter((name) => {
    const keys = [...english.keys()].filter((key) => bare(english.get(key)) === name);
    return keys.length > 0 && !keys.some((key) => names.has(bare(catalogue.get(key))));
  });
}

/** All that the dialogs call anything. */
function dialogNames(language: string): Set<string> {
  const files = FILES.filter((name) => name.endsWith('.json') && name !== 'tftp-sidebar.json');
  const texts = files.flatMap((file) => [...sourceCatalogue(language, file).values()]);
  return new Set(texts.map(bare));
}

/** What is in quotation marks, of any language. Switches have a setting of the name “portfast”. */
function quotedIn(text: string): string[] {
  const quoted = text.matchAll(/«([^»]*)»|„([^“]*)“|“([^”]*)”|‘([^’]*)’|「([^」]*)」/g);
  return [...quoted]
    .map((match) => oneLine(match.slice(1).join('')))
    .filter((name) => name !== '__text__' && name !== 'portfast');
}

function namesIn(html: string): string[] {
  return [...html.matchAll(/<(b|i)>(.*?)<\/\1>/gs)].map(([, , name = '']) => oneLine(name));
}

/** A label as a help page names it: without its unit, and without a colon. */
function bare(label = ''): string {
  return oneLine(label)
    .replace(/\s*[(（][^)）]*[)）]$/, '')
    .replace(/\s*[:：]$/, '');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

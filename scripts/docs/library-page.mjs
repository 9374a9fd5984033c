// The page about the library: every export with its signature, its docstring and its members.
import path from 'node:path';

const BEGINNING = `# The library

<!-- Written by npm run docs, from the docstrings in src/. Do not edit it here. -->

`;

/** The first that fits a module's path has its exports. */
const CHAPTERS = [
  ['The client', /^client\//],
  ['Name rules', /^server\/names\//],
  ['The server', /^server\//],
  ['Files and storages', /^storage\//],
  ['Records, errors and packets', /./],
];

/** The text of the page. */
export function libraryPage({ about, declarations }) {
  const chapters = CHAPTERS.map(([title, modules]) => ({ title, modules, members: [] }));
  for (const one of declarations) {
    const file = one.file.split(path.sep).join('/');
    chapters.find(({ modules }) => modules.test(file)).members.push(one);
  }
  const page = new Page(chapters.flatMap(({ members }) => members));
  const contents = chapters.map(
    ({ title, members }) => `- ${title}: ${members.map(({ name }) => page.link(name)).join(', ')}`,
  );
  const body = chapters.map(
    ({ title, members }) => `## ${title}\n\n${members.map((one) => page.entry(one)).join('\n\n')}`,
  );
  return `${BEGINNING}${page.description(about)}\n\n${contents.join('\n')}\n\n${body.join('\n\n')}\n`;
}

class Page {
  /** @param declarations in the order of the page. */
  constructor(declarations) {
    this.byName = new Map(declarations.map((one) => [one.name, one]));
    this.links = new Map();
    for (const { name } of declarations) {
      const anchor = `#${name.toLowerCase()}`;
      // GitHub numbers headings that differ in upper and lower case alone.
      const taken = [...this.links.values()].filter((one) => one === anchor).length;
      this.links.set(name, taken === 0 ? anchor : `${anchor}-${taken}`);
    }
  }

  link(name) {
    return this.links.has(name) ? `[\`${name}\`](${this.links.get(name)})` : `\`${name}\``;
  }

  entry(declaration) {
    const { name, node, doc } = declaration;
    const kinds = {
      ClassDeclaration: () => this.classBody(declaration),
      TSInterfaceDeclaration: () => this.interfaceBody(declaration),
      TSDeclareFunction: () => this.callable(declaration, node, '', doc()),
    };
    const body = kinds[node.type]?.() ?? this.plain(declaration);
    return `### ${name}\n\n${body}`;
  }

  /** A type or a value: as it is declared. */
  plain({ node, source, doc }) {
    return `${code(source(node))}\n\n${this.description(doc())}`;
  }

  classBody(declaration) {
    const { name, node, source, doc } = declaration;
    const heading = source({ start: node.start, end: node.body.start });
    const members = node.body.body
      .filter((member) => isPublic(member) && !('internal' in doc(member).tags))
      .toSorted((one, other) => rank(one) - rank(other))
      .map((member) => this.member(declaration, member, name));
    return [code(heading.replace('declare ', '').trim()), this.description(doc()), ...members].join(
      '\n\n',
    );
  }

  member(declaration, member, owner) {
    const text = this.docOf(declaration, member);
    if (member.type === 'MethodDefinition' && member.kind !== 'get') {
      return `#### ${memberTitle(member, owner)}\n\n${this.callable(declaration, member, owner, text)}`;
    }
    return this.property(declaration, member, text);
  }

  /** The docstring of a member, or that of the same member of what its class implements. */
  docOf({ node, doc }, member) {
    const own = doc(member);
    if (own.text !== '') return own;
    for (const { expression } of node.implements ?? []) {
      const contract = this.byName.get(expression.name);
      const same = contract?.node.body.body.find(({ key }) => key?.name === member.key?.name);
      if (same !== undefined) return { text: contract.doc(same).text, tags: own.tags };
    }
    return own;
  }

  interfaceBody(declaration) {
    const { node, source, doc } = declaration;
    const parents = node.extends.map(({ expression }) => this.link(expression.name));
    const also = parents.length === 0 ? '' : `Has all of ${parents.join(', ')} as well.\n\n`;
    const members = node.body.body.map((member) =>
      member.type === 'TSMethodSignature'
        ? this.listed(source(member), doc(member))
        : this.property(declaration, member, doc(member)),
    );
    return `${this.description(doc())}\n\n${also}${members.join('\n')}`;
  }

  property({ source }, member, text) {
    const type =
      member.type === 'MethodDefinition' ? member.value.returnType : member.typeAnnotation;
    const mark = member.optional ? '?' : '';
    return this.listed(`${source(member.key)}${mark}${type ? source(type) : ''}`, text);
  }

  /** An item of a list. */
  listed(signature, text) {
    const types = this.mentioned(signature);
    const rest = this.description(text);
    return `- \`${oneLine(signature)}\`${types}\n\n${indented(rest)}\n`;
  }

  /** A function or a method. */
  callable(declaration, node, owner, text) {
    const { params, returnType } = node.value ?? node;
    const shown = params.filter((one) => !this.isInner(declaration, one));
    const left = new Set(params.filter((one) => !shown.includes(one)).map(({ name }) => name));
    const list = shown.map((one) => declaration.source(one)).join(', ');
    const name = node.kind === 'constructor' ? `new ${owner}` : (node.key ?? node.id).name;
    const signature = `${name}(${list})${returnType ? declaration.source(returnType) : ''}`;
    const types = this.mentioned(signature.slice(name.length)).trim();
    const tags = {
      ...text.tags,
      param: text.tags.param?.filter((one) => !left.has(one.split(' ')[0])),
    };
    return [code(oneLine(signature)), types, this.description({ ...text, tags })]
      .filter(Boolean)
      .join('\n\n');
  }

  /** An optional parameter of a type that is not public is for the package's own tests. */
  isInner({ imports }, { optional, typeAnnotation }) {
    const type = typeAnnotation?.typeAnnotation;
    if (!optional || type === undefined) return false;
    const name = type.typeName?.name;
    return type.type === 'TSImportType' || (imports.includes(name) && !this.links.has(name));
  }

  /** Links to the public types in a signature. */
  mentioned(signature) {
    const words = new Set(signature.match(/\b[A-Z]\w+/g) ?? []);
    const known = [...words].filter((word) => this.links.has(word));
    return known.length === 0 ? '' : ` (${known.map((name) => this.link(name)).join(', ')})`;
  }

  /** A docstring: what it says, then what its tags say. */
  description({ text, tags }) {
    const list = (name, say) => (tags[name] ?? []).map((one) => say(this.prose(one)));
    return [
      this.prose(text),
      ...list('param', (one) => `- ${one.replace(/^(\S+)/, '`$1`:')}`),
      ...list('default', (one) => `Default: ${sentences(one)}`),
      ...list('returns', (one) => `Returns ${one[0].toLowerCase()}${one.slice(1)}`),
      ...list(
        'throws',
        (one) => `Throws ${one.replace(/^\{(\w+)\}/, (_, type) => this.link(type))}`,
      ),
      ...(tags.example ?? []).map((one) => code(one.trimEnd())),
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  }

  prose(text) {
    return text.replaceAll(/\{@link ([\w.]+)\}/g, (_, name) => this.link(name));
  }
}

/** `16: near the full speed` as `16. Near the full speed.` */
function sentences(value) {
  const [, short, reason] = /^([^:]+): (.+)$/s.exec(value) ?? [];
  if (reason === undefined) return value;
  return `${short}. ${reason[0].toUpperCase()}${reason.slice(1)}${reason.endsWith('.') ? '' : '.'}`;
}

function isPublic(member) {
  return member.type !== 'ClassPrivateProperty' && member.accessibility !== 'private';
}

/** The constructor first, then what can be looked at, then what can be done. */
function rank({ type, kind }) {
  if (kind === 'constructor') return 0;
  return type === 'MethodDefinition' && kind !== 'get' ? 2 : 1;
}

function memberTitle({ kind, key, static: isStatic }, owner) {
  if (kind === 'constructor') return `new ${owner}`;
  return `${isStatic ? owner : owner[0].toLowerCase() + owner.slice(1)}.${key.name}`;
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').replace(/;$/, '').trim();
}

function indented(text) {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

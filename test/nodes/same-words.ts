/** Texts that are the same in English and in another language. All others are translated. */

/** Names, examples and terms that network people of every language say as they are. */
export const SAME_EVERYWHERE: ReadonlySet<string> = new Set([
  ...['tftp get', 'tftp put', 'tftp server', 'tftp response'],
  ...['Cisco', 'Polycom', 'Yealink', 'Grandstream', 'Snom', 'PXELINUX, PXE'],
  ...['iPXE', 'GRUB', 'UEFI', 'U-Boot', 'Raspberry Pi'],
  ...['boot\\pxelinux.0', 'Buffer', 'SHA-256', 'TFTP'],
  ...['→ __name__'],
]);

/** Words that a language has taken over, or shares with English by chance. */
export const SAME_WORDS: Readonly<Record<string, readonly string[]>> = {
  de: [...['Clients', 'Details', 'Downloads', 'Host', 'Node', 'Port', 'Ports', 'Start'], 'Uploads'],
  'es-ES': ['control', 'Error', 'error', 'Host', 'no'],
  fr: [...['Action', 'Clients', 'Message', 'Mode', 'Options', 'Port', 'Ports']],
  'pt-BR': ['__bytes__ bytes', 'Buffers', 'Downloads', 'Host', 'string', 'Uploads'],
};

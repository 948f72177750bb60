"""Writes classes/: small tokenizers in the files that checkpoints of several classes hold, and what transformers makes of
them.

Run in this folder: pip install transformers==5.23.0 tokenizers==0.23.3 sentencepiece==0.2.1 protobuf && python make_classes.py
"""

import io
import json
import os
import random
import shutil

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

TEXTS = [
    "a dog on a beach", " leading and trailing ", "two  spaces\tand\nlines\n\n", "don't we've it's I'm they're she'll he'd",
    "A.B.C. 3.14 1,000! ( a ) , b . ' c ' ?", "naïve café ß İstanbul ǅ", "😀👩\u200d💻 e\u0301 \u0000\ufffd\u200b",
    "日本語のテキスト, 中国。", "العربية हिन्दी", "", "<s> in </s><mask> <mask>  <pad>[SEP] [MASK]<|endoftext|>",
    "x" * 120, "<s_cord> <sep/>tea<sep/> more<yes/>", "extra1 EXTRA2extra2 \u00bd ﬁ ＡＢＣ",
]
CORPUS = TEXTS + ["the dog and the cat on the beach", "cats and dogs, don't they", "a café on a beach in Istanbul"] * 3
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def folder(name):
    path = os.path.join("classes", name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def write(path, name, value):
    with open(os.path.join(path, name), "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def reference(path, encodes=True):
    tokenizer = AutoTokenizer.from_pretrained(path)
    size = len(tokenizer)
    encodings = []
    for text in TEXTS if encodes else []:
        ids = tokenizer(text)["input_ids"]
        encodings.append({
            "text": text,
            "ids": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=True),
            "decoded_with_special": tokenizer.decode(ids, skip_special_tokens=False),
        })
    draw = random.Random(len(path))
    decodings = []
    for _ in range(16):
        ids = [draw.randrange(size) for _ in range(draw.randrange(1, 14))]
        decodings.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    roles = {role: token for role, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    roles = {role: [token, tokenizer.convert_tokens_to_ids(token)] for role, token in roles.items() if role != "extra_special_tokens"}
    write(path, "reference.json", {"class": type(tokenizer).__name__, "vocab_size": size, "roles": roles,
                                   "encodings": encodings, "decodings": decodings})


def byte_level(special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def vocab_and_merges(path, special):
    byte_level(special).model.save(path)


def word_piece(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=180, special_tokens=BERT, show_progress=False)
    tokenizer.train_from_iterator(CORPUS[:4] + CORPUS[4:6] + CORPUS[7:9] + CORPUS[14:], trainer)
    return tokenizer


def vocab_txt(path, lowercase, more=()):
    vocabulary = word_piece(lowercase).get_vocab()
    lines = sorted(vocabulary, key=vocabulary.get) + list(more)
    write(path, "vocab.txt", "".join(line + "\n" for line in lines))


def sentencepiece_model(symbols=()):
    model = io.BytesIO()
    texts = [text for text in CORPUS if text and "\0" not in text] * 4
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=150, model_type="unigram",
        normalization_rule_name="identity", character_coverage=0.98, user_defined_symbols=list(symbols),
        hard_vocab_limit=False, minloglevel=2)
    return model.getvalue()


# GPT-2 with tokens that begin and end a text, one of which it has to add.
path = folder("gpt2-framed")
vocab_and_merges(path, ["<|endoftext|>"])
write(path, "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_eos_token": True,
                                      "bos_token": "<|begin|>", "add_prefix_space": True, "pad_token": "<|endoftext|>",
                                      "clean_up_tokenization_spaces": True})
reference(path)

# RoBERTa's files as transformers 4 wrote them: added tokens in files of their own, the mask with options.
path = folder("roberta-old")
vocab_and_merges(path, SPECIAL)
write(path, "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizerFast", "model_max_length": 512})
write(path, "special_tokens_map.json", {
    "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>",
    "mask_token": {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False},
    "additional_special_tokens": ["<s_cord>"]})
write(path, "added_tokens.json", {"extra2": 341, "<s_cord>": 340})
reference(path)

# Cased BERT, with a token by its id, and spaces before punctuation taken out of the whole text.
path = folder("bert-cased")
vocab_txt(path, False)
size = len(open(os.path.join(path, "vocab.txt"), encoding="utf-8").read().splitlines())
token = {"content": "extra2", "lstrip": False, "normalized": True, "rstrip": False, "single_word": True, "special": False}
write(path, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True,
                                      "tokenize_chinese_chars": False, "clean_up_tokenization_spaces": True,
                                      "added_tokens_decoder": {str(size): token}})
reference(path)

# A folder without a class: uncased BERT.
path = folder("vocab-txt")
vocab_txt(path, True)
write(path, "config.json", {"model_type": "bert"})
reference(path)

# XLM-R's SentencePiece file, with a symbol of its own and added tokens.
path = folder("xlm-roberta")
with open(os.path.join(path, "sentencepiece.bpe.model"), "wb") as file:
    file.write(sentencepiece_model(["extra1"]))
write(path, "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer", "extra_special_tokens": ["<s_cord>", "<yes/>"]})
reference(path)

# Donut's tokenizer.json: a unigram model with tokens that are special and others that are not.
path = folder("donut")
tokenizer = AutoTokenizer.from_pretrained(os.path.join("classes", "xlm-roberta"))
tokenizer.add_tokens(["<sep/>", AddedToken("extra2", normalized=True, lstrip=True, rstrip=True)])
backend = json.loads(tokenizer.backend_tokenizer.to_str())
write(path, "tokenizer.json", backend)
write(path, "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "pad_token": "<pad>",
                                      "unk_token": "<unk>", "clean_up_tokenization_spaces": True})
reference(path)

# tokenizer.json of 2020: models without a type, merges as texts.
path = folder("gpt2-json")
tokenizer = json.loads(byte_level(["<|endoftext|>"]).to_str())
model = tokenizer["model"]
tokenizer["model"] = {"dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
                      "fuse_unk": False, "vocab": model["vocab"], "merges": [" ".join(merge) for merge in model["merges"]]}
tokenizer["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
tokenizer["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}
tokenizer["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}
write(path, "tokenizer.json", tokenizer)
write(path, "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>",
                                      "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})
reference(path)

path = folder("bert-json")
tokenizer = json.loads(word_piece(True).to_str())
vocabulary = tokenizer["model"]["vocab"]
del tokenizer["model"]["type"]
tokenizer["post_processor"] = {"type": "BertProcessing", "sep": ["[SEP]", vocabulary["[SEP]"]], "cls": ["[CLS]", vocabulary["[CLS]"]]}
write(path, "tokenizer.json", tokenizer)
write(path, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
reference(path)

path = folder("roberta-json")
tokenizer = json.loads(byte_level(SPECIAL).to_str())
tokenizer["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
                               "add_prefix_space": False}
write(path, "tokenizer.json", tokenizer)
write(path, "tokenizer_config.json", {"tokenizer_class": "BartTokenizer"})
reference(path)

# Characters: without a dictionary, and of a tokenizer that needs one, which is not installed here.
letters = sorted({letter for text in TEXTS[:1] + TEXTS[7:8] for letter in text if letter.strip()})
config = {"tokenizer_class": "BertJapaneseTokenizer", "subword_tokenizer_type": "character", "do_lower_case": False}
path = folder("characters")
write(path, "vocab.txt", "".join(line + "\n" for line in BERT + letters + ["##a"]))
write(path, "tokenizer_config.json", config | {"do_word_tokenize": False})
reference(path)

# Makes tokens.json, scores.json and punkt.json: odd texts, and what public implementations say of them.
# metrics.json is a copy of the project's shared reference.
#
#   pip install nltk==3.10.4 sacrebleu==2.6.0 pycocoevalcap==1.2
#   python make_references.py FOLDER
#
# The parameters of punkt.json are made up, so that they meet the texts; NLTK's trained models are not used.
import collections, contextlib, io, json, math, random, sys, warnings

warnings.filterwarnings('ignore')
from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from nltk.translate.bleu_score import corpus_bleu
import sacrebleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.cider.cider import Cider
W=NLTKWordTokenizer(); P=PunktSentenceTokenizer()
def words(t, punkt=P): return [w for s in punkt.tokenize(t) for w in W.tokenize(s)]
def coco(preds, refs):
    gts={i:r for i,r in enumerate(refs)}; res={i:[p] for i,p in enumerate(preds)}
    out={}
    with contextlib.redirect_stdout(io.StringIO()):
        b,_=Bleu(4).compute_score(gts,res,verbose=0)
    for i,x in enumerate(b): out[f'Bleu_{i+1}']=float(x)
    try: out['CIDEr']=float(Cider().compute_score(gts,res)[0])
    except ValueError: out['CIDEr']=0.0
    out['ROUGE_L']=float(Rouge().compute_score(gts,res)[0])
    return out
def nltk_bleu(preds, refs, tok=words):
    h=[tok(p) for p in preds]; r=[[tok(x[0])] for x in refs]
    out={}
    for n in range(1,5): out[f'BLEU-{n}']=float(corpus_bleu(r,h,weights=tuple([1/n]*n)))
    return out
def sb(preds, refs, first=False):
    n=max(len(r) for r in refs)
    streams=[[r[i] if i<len(r) else None for r in refs] for i in range(1 if first else n)]
    return {'bleu':sacrebleu.corpus_bleu(preds,streams).score,'chrf':sacrebleu.corpus_chrf(preds,streams).score}
T=Tokenizer13a()
rng=random.Random(20261126)
odd = ['"',"'","''",'""','``','`','(',')','[',']','{','}','<','>','...','..','.','. . .','. .','…','!','?','?!','!!!',',',';',':','::','-','--','---','–','—','―','‒','«','»','“','”','‘','’','„','*','**','@','#','$','%','&','&amp;','&lt;','&quot;','&amp;quot;','<skipped>','/','\\','|','~','_','^','+','=',
 'Dr.','Mr.','St.','e.g.','U.S.','U.S.A.','a.m.','vs.','No.','J.','J. S. Bach','etc.','Inc.','z.B.','bzw.','M.','Mme.','Sr.','Sra.',
 "can't","don't","DON'T","I'm","we've","they'll","he'd","it's","IT'S","dogs'","'tis","'twas","'Tis","o'clock","rock 'n' roll","'em","d'ye","cannot","Cannot","gimme","gonna","gotta","lemme","more'n","wanna","wanna go","l'herbe","aujourd'hui","qu'il","können's","’s","dog’s","ſ","'ſ","caſ","'ın","It'ſ",
 '1','3.14','1,000','5,50','3:45','10-12','1990s','-5','.5','½','²','Ⅷ','٣','٣,٤','१','१:२','2.','3.','No. 5','5.',
 '一只猫','两只狗在草地上。','你好，世界！','قطة','كلب على العشب.','שלום','देवनागरी','กข','日本語','한국어','🐶','🐱🐱','👩‍🌾','é','e\u0301','ß','İ','ı','ǅ','Σ','ΟΔΟΣ','\u200b','\u00a0','\u3000','\u2028','\u0085','\x1c','\x1f','\t','\n','\n\n','\r\n','  ',
 'A','a','The','the','dog','Dog','cat','ball','red','on','grass','und','Hund','la','pelota','chien','New','York','He','It','Bach','Smith']
def odd_text():
    n=rng.choice([0,1,1,2,3,4,6,8,10,14])
    out=''
    for _ in range(n):
        out+=rng.choice(odd)+rng.choice([' ',' ',' ','','','\n' if rng.random()<.1 else ' '])
    if rng.random()<.3: out+='.'
    return out
texts=[ "", " ", ".", "..", "a.", 'He said "go." Then', '"It"', '("a")', "A dog. A cat.", "A dog.A cat.", "Mr. Smith went to Washington. He won.", "The U.S. is big. It is.", "I saw J. S. Bach. He sang.", "See No. 5. It is.", "Wait... what? Yes!! No.", "Wait. . . what", "She said (no.) Yes.", 'He said "no." Yes.', "«Oui.» Non.", "a --. b", "x. --y", '."--" b', "It costs 5. dollars", "end, \n", "a:\n", ",,\n", "it's 'quoted' here", "'quoted'", "the dogs' ball", "a' b", "''a''", "``a''", "``` a", "wanna", "wanna ", "'tis it", " 'tis it", "it 'twas.", "D'ye see?", "n't", "can't.", "''s '", "x.' y", "x.\u201d", "x.) \n )", "a.\u00a0", "(see fig. 3). Done", "a.b.c. d", "Hello World.. Ok", "a . . b . . . c . . . . d", "abc-def. Ghi", "3.5. Four", "-3. Four", "$5.50,", "$5,50.", "10:30, 11:", "٣:٤ a:٤ a:b", "a,b,1,c", "१,१ क,ख", "नि'स नि't"] 
texts+= [odd_text() for _ in range(420)]
tokens=[{'text':t,'words':words(t),'treebank':W.tokenize(t),'13a':T(t.rstrip()).split()} for t in texts]
json.dump(tokens,open(sys.argv[1]+'/tokens.json','w'),ensure_ascii=True,indent=None,separators=(',',':'))
# Corpora
vocab={'en':"a the dog cat red ball on grass with two people field green near dog's can't isn't \"it\" (2) 1,000 $5.50 ! ? , — e.g. U.S. A It".split(),
 'fr':"un une chien chat l'herbe aujourd'hui « rouge » ballon sur près d’un 5,50 € ! ? , n'est-ce l’eau Ça".split(),
 'de':"ein der Hund Katze auf grüner Wiese „rot“ Ball z.B. zwei können's 5,50 € ! ? , – bzw. Straße".split(),
 'es':"un el perro gato ¿no? ¡vaya! pelota sobre hierba roja dos 5,50 € , — «sí» niño Sr.".split(),
 'mixed':['一只猫','在草地上','狗','。','قطة','على','العشب','🐶','🐱🐱','👩‍🌾','a','the','dog','...','(',')','"']}
def sentence(v,n): return ' '.join(rng.choice(v) for _ in range(n))+rng.choice(['.','',' .','!'])
def edit(s,v):
    w=s.split(' ')
    for _ in range(rng.randrange(0,4)):
        if not w: break
        i=rng.randrange(len(w)); k=rng.randrange(4)
        if k==0: w[i]=rng.choice(v)
        elif k==1: del w[i]
        elif k==2: w.insert(i,rng.choice(v))
        else: w.insert(i,w.pop(rng.randrange(len(w))))
    return ' '.join(w)
cases=[]
def case(name,preds,refs):
    cases.append({'name':name,'predictions':preds,'references':refs,'bleu_first_reference':nltk_bleu(preds,refs),'sacrebleu':sb(preds,refs,True),'sacrebleu_all':sb(preds,refs),'coco':coco(preds,refs)})
for lang,v in vocab.items():
    for n in (1,2,7,40):
        refs=[[sentence(v,rng.randrange(1,14)) for _ in range(rng.choice([1,2,3,5]))] for _ in range(n)]
        preds=[edit(rng.choice(r),v) if rng.random()<.9 else rng.choice(['','.',rng.choice(v),odd_text()]) for r in refs]
        case(f'{lang} {n}',preds,refs)
case('empty predictions',['',''],[['a dog'],['a cat on grass']])
case('empty references',['a dog','a cat'],[[''],['']])
case('all empty',['',''],[[''],['']])
case('one word',['dog','cat'],[['dog'],['dog']])
case('one word equal',['dog'],[['dog']])
case('nothing in common',['a b c d e f','g h i j'],[['u v w x y z'],['k l m n']])
case('no pairs in common',['a b c d e','f g h i j'],[['e d c b a'],['j i h g f']])
case('spaces',['a  b   c ',' a b'],[['a b c','a  b  c'],['  a b  ']])
case('lines and other spaces',['a\nb\u3000c\x1cd','a-\nb'],[['a b c d'],['a\u00a0-\u2003b']])
case('closest lengths',['a b c d e'],[['a b c d e f g','a b c','a b c d e f']])
case('long',[' '.join(rng.choice(vocab['en']) for _ in range(700))],[[' '.join(rng.choice(vocab['en']) for _ in range(650)) for _ in range(3)]])
case('odd',[odd_text() for _ in range(60)],[[odd_text() for _ in range(rng.choice([1,2,4]))] for _ in range(60)])
for k in range(3):
    r=[[odd_text()] for _ in range(20)]
    case(f'odd edited {k}',[edit(x[0],odd) for x in r],r)
# the original: batches
def google(refs,hyps,n):
    m=[0]*n; p=[0]*n; rl=tl=0
    for rr,h in zip(refs,hyps):
        rl+=min(len(r) for r in rr); tl+=len(h)
        merged=collections.Counter()
        cnt=lambda s:collections.Counter(tuple(s[i:i+o]) for o in range(1,n+1) for i in range(len(s)-o+1))
        for r in rr: merged|=cnt(r)
        for g,c in (cnt(h)&merged).items(): m[len(g)-1]+=c
        for o in range(1,n+1):
            if len(h)-o+1>0: p[o-1]+=len(h)-o+1
    prec=[m[i]/p[i] if p[i]>0 else 0.0 for i in range(n)]
    geo=math.exp(sum(math.log(x)/n for x in prec)) if min(prec)>0 else 0
    ratio=tl/rl
    return geo*(1.0 if ratio>1 else math.exp(1-1/ratio))
v=vocab['en']
refs=[sentence(v,rng.randrange(2,14)) for _ in range(1100)]; preds=[edit(edit(r,v),v) for r in refs]
avg={}
for n in range(1,5):
    xs=[google([[words(r)] for r in refs[i:i+512]],[words(p) for p in preds[i:i+512]],n) for i in range(0,1100,512)]
    avg[f'BLEU-{n}']=sum(xs)/len(xs)
json.dump({'cases':cases,'batches':{'predictions':preds,'references':refs,'average':avg}},open(sys.argv[1]+'/scores.json','w'),separators=(',',':'))

# Punkt with parameters
p=PunktParameters()
rng=random.Random(5)
p.abbrev_types={'dr','mr','st','e.g','u.s','u.s.a','a.m','vs','no','etc','z.b','sr','j'}
p.collocations={('##number##','dog'),('s','bach'),('no','##number##'),('st','new')}
p.sent_starters={'the','he','it','la'}
words_=['the','dog','cat','ball','red','on','grass','new','york','he','it','bach','smith','a','und','la','hund','.','5','##number##','the.','dog.']
p.ortho_context=collections.defaultdict(int,{w:rng.choice([2,4,8,16,32,64,2|32,4|32,8|64,2|16,126,0]) for w in words_})
P=PunktSentenceTokenizer(); P._params=p
texts=[t['text'] for t in tokens]+[odd_text() for _ in range(300)]
abbr=sorted(p.abbrev_types)[:200]; starters=sorted(p.sent_starters)
for _ in range(100):
    n=rng.randrange(2,9); s=[]
    for _ in range(n):
        k=rng.randrange(4)
        w=rng.choice(abbr)+'.' if k==0 else rng.choice(starters) if k==1 and starters else rng.choice(odd) if k==2 else rng.choice(['1.','A.','x','Dog','dog.','2'])
        s.append(w.capitalize() if rng.random()<.3 else w)
    texts.append(' '.join(s))
json.dump({'abbrev_types':'\n'.join(sorted(p.abbrev_types)),'sent_starters':'\n'.join(starters),'collocations':'\n'.join('\t'.join(c) for c in sorted(p.collocations)),
 'ortho_context':'\n'.join(f'{w}\t{c}' for w,c in p.ortho_context.items() if True),
 'texts':[{'text':t,'sentences':P.tokenize(t)} for t in texts]},open(sys.argv[1]+'/punkt.json','w'),separators=(',',':'))
